/**
 * Uploading without an AWS client: `POST /uploads` gives a form, by which a browser or a program sends one object
 * straight to the raw bucket; large files go in parts (packages/functions/src/uploads.ts).
 *
 * Callers sign their request (IAM); who may call is a policy on `execute-api:Invoke` of this API, which the account's
 * owner grants: of all of it, or of one tenant's paths. The function may put objects under the prefixes of the triggers,
 * so nothing that it signs can do more.
 */
import { variables } from "@millrace/functions/Environment";
import { buckets } from "./buckets";
import { makeFunction } from "./lib/functions";
import { stage } from "./stage";
import { topology } from "./topology";

/** Requests per second that it takes at most, and in a burst. */
const throttle = { throttlingRateLimit: 50, throttlingBurstLimit: 100 };

const { fn, log } = makeFunction("Uploads", {
  description: "signs forms for uploads",
  handler: "uploads",
  timeoutSeconds: 10,
  memoryMb: 512,
  environment: {
    [variables.buckets.raw]: buckets.raw.name,
    [variables.buckets.clean]: buckets.clean.name,
    [variables.buckets.errors]: buckets.errors.name,
  },
  rights: topology.pipelines.map(({ trigger }) => ({
    // Parts are put like objects.
    actions: ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    resources: [$interpolate`${buckets[trigger.bucket].arn}/${trigger.prefix}*`],
  })),
});

const api = new sst.aws.ApiGatewayV2("UploadApi", {
  cors:
    stage.uploadOrigins.length > 0
      ? { allowOrigins: stage.uploadOrigins, allowMethods: ["POST"] }
      : false,
  accessLog: { retention: stage.isProduction ? "1 year" : "1 week" },
  transform: {
    stage: (args) => {
      args.defaultRouteSettings = throttle;
    },
  },
});
for (const below of ["", "/tenants/{tenant}"]) {
  for (const path of ["/uploads", "/uploads/{action}"]) {
    api.route(`POST ${below}${path}`, fn.arn, { auth: { iam: true } });
  }
}

export const uploads = { fn, log, url: api.url };
