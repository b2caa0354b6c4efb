import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate for 127.0.0.1 that trusts itself, made by openssl for this run. */
export interface Certificate extends Disposable {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate, PEM. */
  readonly ca: string;
}

export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-tls-"));
  const certFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  const args =
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1";
  execFileSync("openssl", [...args.split(" "), "-keyout", keyFile, "-out", certFile], {
    stdio: "ignore",
  });
  return {
    certFile,
    keyFile,
    ca: readFileSync(certFile, "utf8"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
