import { deployment } from "./deployment.ts";

/** For `dropthrough check`, `graph` and `run` in this folder: the deployment over the current folder. */
export default deployment({ paths: [process.cwd()] });
