import { deployment } from "./deployment.ts";

export default deployment();
