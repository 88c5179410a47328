// The second opinion on signatures: `node judge.mjs DIR`, with `@sigstore/verify` in the folder that
// DIGEST_BUMP_SIGSTORE_JS names. It shares nothing with the bot but the files in DIR, and prints
// for each case why it is refused, or null.
//
// The library proves certificate, log and signature. What it leaves to its callers is done here a
// second time: the legacy form, what a statement or payload says, who signed and who vouched.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const library = createRequire(join(process.env.DIGEST_BUMP_SIGSTORE_JS, "judge.mjs"));
const { bundleFromJSON } = library("@sigstore/bundle");
const { TrustedRoot } = library("@sigstore/protobuf-specs");
const { toSignedEntity, toTrustMaterial, Verifier } = library("@sigstore/verify");

const directory = process.argv[2];
const read = (name) => readFileSync(join(directory, name));
const json = (bytes) => JSON.parse(bytes.toString("utf8"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

const { digest, identity, issuer, artifact, cases } = json(read("cases.json"));
const trusted = toTrustMaterial(TrustedRoot.fromJSON(json(read("trusted_root.json"))));
const whole = new RegExp(`^(?:${identity})$`);

function demand(holds, why) {
  if (!holds) throw new Error(why);
}

function prove(bundle, bytes) {
  const signer = new Verifier(trusted).verify(toSignedEntity(bundleFromJSON(bundle), bytes));
  const { subjectAlternativeName: name, extensions } = signer.identity;
  demand(extensions.issuer === issuer, `issuer ${extensions.issuer}`);
  demand(name !== undefined && whole.test(name), `identity ${name}`);
}

function judgeBundle(file) {
  const bundle = json(read(file));
  prove(bundle, Buffer.from(artifact, "base64"));
  demand(bundle.dsseEnvelope, "no statement");
  demand(bundle.dsseEnvelope.payloadType === "application/vnd.in-toto+json", "another payload type");
  const statement = json(Buffer.from(bundle.dsseEnvelope.payload, "base64"));
  const { predicateType, subject } = statement;
  demand(predicateType === "https://sigstore.dev/cosign/sign/v1", `a statement ${predicateType}`);
  demand(subject.some((one) => `sha256:${one.digest.sha256}` === digest), "another subject");
}

function judgeLegacy(manifestFile, payloadFile) {
  const payload = read(payloadFile);
  const hash = sha256(payload);
  const layer = json(read(manifestFile)).layers.find(
    (one) => one.digest === `sha256:${hash.toString("hex")}`,
  );
  demand(layer?.mediaType === "application/vnd.dev.cosign.simplesigning.v1+json", "no such layer");
  prove(converted(layer.annotations, hash), payload);
  const { critical } = json(payload);
  demand(critical.type === "cosign container image signature", `a payload ${critical.type}`);
  demand(critical.image["docker-manifest-digest"] === digest, "another digest");
}

// What the annotations know, as a bundle of the first version.
function converted(annotations, hash) {
  const certificate = new X509Certificate(annotations["dev.sigstore.cosign/certificate"]);
  const { SignedEntryTimestamp, Payload } = JSON.parse(annotations["dev.sigstore.cosign/bundle"]);
  const { kind, apiVersion } = json(Buffer.from(Payload.body, "base64"));
  return {
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate.raw.toString("base64") }] },
      tlogEntries: [
        {
          logIndex: String(Payload.logIndex),
          logId: { keyId: Buffer.from(Payload.logID, "hex").toString("base64") },
          kindVersion: { kind, version: apiVersion },
          integratedTime: String(Payload.integratedTime),
          inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
          canonicalizedBody: Payload.body,
        },
      ],
    },
    messageSignature: {
      messageDigest: { algorithm: "SHA2_256", digest: hash.toString("base64") },
      signature: annotations["dev.cosignproject.cosign/signature"],
    },
  };
}

const verdicts = cases.map(({ bundle, manifest, payload }) => {
  try {
    if (bundle) judgeBundle(bundle);
    else judgeLegacy(manifest, payload);
    return null;
  } catch (error) {
    return String(error.message ?? error) || "refused";
  }
});
console.log(JSON.stringify(verdicts));
