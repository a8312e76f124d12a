/**
 * The form by which somebody uploads one object: for which pipeline, under which key, how large and of which type; pure.
 *
 * The key is the server's, in the tenant's folder where there is one, never the caller's path: nobody can overwrite or guess another's upload. S3 itself enforces
 * the rest, because the form's policy is signed.
 */
import type { PipelineTopology } from "@millrace/workflows/topology";
import { Schema } from "effect";

/** What the caller asks for. */
export const UploadRequest = Schema.Struct({
  pipeline: Schema.String,
  /** The file's own name; only its suffix decides anything. */
  fileName: Schema.NonEmptyString.check(Schema.isMaxLength(255)),
  contentType: Schema.String.check(
    Schema.isPattern(/^[a-z]+\/[a-z0-9.+-]+$/),
    Schema.isMaxLength(100),
  ),
});
export type UploadRequest = typeof UploadRequest.Type;

/** The request asks for what no pipeline takes. */
export class UploadRefused extends Schema.TaggedError<UploadRefused>()("UploadRefused", {
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `this cannot be uploaded: ${this.reason}`;
  }
}

/** What is to be signed. */
export interface UploadForm {
  readonly bucket: PipelineTopology["trigger"]["bucket"];
  readonly key: string;
  readonly contentType: string;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

/** Largest object of one POST, in bytes. Source: Amazon S3 user guide, "Uploading objects". */
const postBytesMax = 5 * 1024 ** 3;

/** What is kept of a file's name in the key, in characters. */
const nameCharactersMax = 100;

/** Whose upload it is: a folder of its own, which the API has authorised the caller for. */
export const Tenant = Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,39}$/));

/** The pipeline of that name. */
export const pipelineNamed = (
  pipelines: ReadonlyArray<PipelineTopology>,
  name: string,
): PipelineTopology | UploadRefused => {
  const found = pipelines.find((one) => one.name === name);
  if (found) return found;
  const known = pipelines.map((one) => one.name).join(", ");
  return new UploadRefused({ reason: `there is no pipeline ${name}; there are: ${known}` });
};

/** Below which its uploads lie. */
export const folderOf = ({ trigger }: PipelineTopology, tenant: string | undefined): string =>
  tenant === undefined ? trigger.prefix : `${trigger.prefix}${tenant}/`;

/** The form for a request, or why there is none. `id` makes the key unique. */
export const toUploadForm = (
  pipelines: ReadonlyArray<PipelineTopology>,
  { contentType, fileName, pipeline }: UploadRequest,
  id: string,
  tenant?: string,
): UploadForm | UploadRefused => {
  const found = pipelineNamed(pipelines, pipeline);
  if (found instanceof UploadRefused) return found;
  const { bucket, sizeBytesMax = postBytesMax, sizeBytesMin = 0, suffixes } = found.trigger;
  const suffix = suffixes.find((one) => fileName.toLowerCase().endsWith(one.toLowerCase()));
  if (suffix === undefined) {
    return new UploadRefused({
      reason: `${pipeline} takes files that end with ${suffixes.join(" or ")}`,
    });
  }
  const name = fileName.slice(0, -suffix.length).replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  return {
    bucket,
    key: `${folderOf(found, tenant)}${id}/${name.slice(-nameCharactersMax)}${suffix.toLowerCase()}`,
    contentType,
    bytesMin: sizeBytesMin,
    bytesMax: Math.min(sizeBytesMax, postBytesMax),
  };
};
