/**
 * Which operation a request asks for: by level (service, bucket, object), method and subresource.
 *
 * Operations that S3 has and this one has not are listed too, so that they are refused by their name.
 */
import type { BucketOperation, ObjectOperation } from "./calls.ts";
import {
  getBucketNotification,
  getBucketVersioning,
  putBucketNotification,
  putBucketVersioning,
} from "./bucketConfiguration.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket } from "./bucketOperations.ts";
import { completeMultipartUpload } from "./completeMultipart.ts";
import { copyObject } from "./copyObject.ts";
import { deleteBucketCors, getBucketCors, putBucketCors } from "./cors.ts";
import { deleteObject, deleteObjects } from "./deleteObject.ts";
import { listObjects, listObjectsV2 } from "./listObjects.ts";
import { listMultipartUploads, listParts } from "./listUploads.ts";
import { listObjectVersions } from "./listVersions.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from "./multipartUpload.ts";
import {
  deleteObjectTagging,
  getObjectAttributes,
  getObjectTagging,
  putObjectTagging,
} from "./objectTagging.ts";
import { getObject, headObject } from "./readObject.ts";
import { putObject } from "./writeObject.ts";

/** An operation that is there, or only its name. */
export type Chosen<Operation> =
  | { readonly name: string; readonly run: Operation }
  | { readonly name: string; readonly run?: undefined };

interface Shape {
  readonly method: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Subresources of a bucket that are not here: names for GET, PUT, DELETE and POST. */
const missingOfBucket: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  abac: { GET: "GetBucketAbac", PUT: "PutBucketAbac" },
  accelerate: {
    GET: "GetBucketAccelerateConfiguration",
    PUT: "PutBucketAccelerateConfiguration",
  },
  acl: { GET: "GetBucketAcl", PUT: "PutBucketAcl" },
  analytics: {
    GET: "GetBucketAnalyticsConfiguration",
    PUT: "PutBucketAnalyticsConfiguration",
    DELETE: "DeleteBucketAnalyticsConfiguration",
  },
  encryption: {
    GET: "GetBucketEncryption",
    PUT: "PutBucketEncryption",
    DELETE: "DeleteBucketEncryption",
  },
  "intelligent-tiering": {
    GET: "GetBucketIntelligentTieringConfiguration",
    PUT: "PutBucketIntelligentTieringConfiguration",
    DELETE: "DeleteBucketIntelligentTieringConfiguration",
  },
  inventory: {
    GET: "GetBucketInventoryConfiguration",
    PUT: "PutBucketInventoryConfiguration",
    DELETE: "DeleteBucketInventoryConfiguration",
  },
  lifecycle: {
    GET: "GetBucketLifecycleConfiguration",
    PUT: "PutBucketLifecycleConfiguration",
    DELETE: "DeleteBucketLifecycle",
  },
  logging: { GET: "GetBucketLogging", PUT: "PutBucketLogging" },
  metadataConfiguration: {
    GET: "GetBucketMetadataConfiguration",
    POST: "CreateBucketMetadataConfiguration",
    DELETE: "DeleteBucketMetadataConfiguration",
  },
  metadataTable: {
    GET: "GetBucketMetadataTableConfiguration",
    POST: "CreateBucketMetadataTableConfiguration",
    DELETE: "DeleteBucketMetadataTableConfiguration",
  },
  metrics: {
    GET: "GetBucketMetricsConfiguration",
    PUT: "PutBucketMetricsConfiguration",
    DELETE: "DeleteBucketMetricsConfiguration",
  },
  "object-lock": { GET: "GetObjectLockConfiguration", PUT: "PutObjectLockConfiguration" },
  ownershipControls: {
    GET: "GetBucketOwnershipControls",
    PUT: "PutBucketOwnershipControls",
    DELETE: "DeleteBucketOwnershipControls",
  },
  policy: { GET: "GetBucketPolicy", PUT: "PutBucketPolicy", DELETE: "DeleteBucketPolicy" },
  policyStatus: { GET: "GetBucketPolicyStatus" },
  publicAccessBlock: {
    GET: "GetPublicAccessBlock",
    PUT: "PutPublicAccessBlock",
    DELETE: "DeletePublicAccessBlock",
  },
  replication: {
    GET: "GetBucketReplication",
    PUT: "PutBucketReplication",
    DELETE: "DeleteBucketReplication",
  },
  requestPayment: { GET: "GetBucketRequestPayment", PUT: "PutBucketRequestPayment" },
  session: { GET: "CreateSession" },
  tagging: { GET: "GetBucketTagging", PUT: "PutBucketTagging", DELETE: "DeleteBucketTagging" },
  website: { GET: "GetBucketWebsite", PUT: "PutBucketWebsite", DELETE: "DeleteBucketWebsite" },
};

const missingOfObject: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  acl: { GET: "GetObjectAcl", PUT: "PutObjectAcl" },
  encryption: { PUT: "UpdateObjectEncryption" },
  "legal-hold": { GET: "GetObjectLegalHold", PUT: "PutObjectLegalHold" },
  renameObject: { PUT: "RenameObject" },
  restore: { POST: "RestoreObject" },
  retention: { GET: "GetObjectRetention", PUT: "PutObjectRetention" },
  select: { POST: "SelectObjectContent" },
  torrent: { GET: "GetObjectTorrent" },
};

const missing = (
  table: typeof missingOfBucket,
  { method, query }: Shape,
): { readonly name: string } | undefined => {
  for (const [subresource, names] of Object.entries(table)) {
    if (query.has(subresource)) return { name: names[method] ?? `${method} ?${subresource}` };
  }
  return undefined;
};

const knownOfWrites = new Set([
  "cors",
  "delete",
  "notification",
  "partNumber",
  "tagging",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
]);

/**
 * A parameter of a write that nobody here knows. S3 ignores unknown parameters, but one that it knows and we do not
 * would turn e.g. the setting of a bucket into its creation.
 */
export const unknownOfWrite = ({ method, query }: Shape): string | undefined =>
  method === "GET" || method === "HEAD"
    ? undefined
    : [...query.keys()].find((name) => !/^x-/iu.test(name) && !knownOfWrites.has(name));

const named = <Operation>(name: string, run: Operation): Chosen<Operation> => ({ name, run });

/** The operation of a request for a bucket. */
export const chooseBucketOperation = (shape: Shape): Chosen<BucketOperation> => {
  const { method, query } = shape;
  const refused = missing(missingOfBucket, shape);
  if (refused !== undefined) return refused;
  switch (method) {
    case "GET":
      return chooseBucketGet(query);
    case "PUT":
      if (query.has("versioning")) return named("PutBucketVersioning", putBucketVersioning);
      if (query.has("notification")) {
        return named("PutBucketNotificationConfiguration", putBucketNotification);
      }
      if (query.has("cors")) return named("PutBucketCors", putBucketCors);
      return named("CreateBucket", createBucket);
    case "HEAD":
      return named("HeadBucket", headBucket);
    case "DELETE":
      if (query.has("cors")) return named("DeleteBucketCors", deleteBucketCors);
      return named("DeleteBucket", deleteBucket);
    case "POST":
      if (query.has("delete")) return named("DeleteObjects", deleteObjects);
      return { name: "POST on a bucket" };
    default:
      return { name: `${method} on a bucket` };
  }
};

const chooseBucketGet = (query: ReadonlyMap<string, string>): Chosen<BucketOperation> => {
  if (query.has("location")) return named("GetBucketLocation", getBucketLocation);
  if (query.has("versioning")) return named("GetBucketVersioning", getBucketVersioning);
  if (query.has("notification")) {
    return named("GetBucketNotificationConfiguration", getBucketNotification);
  }
  if (query.has("cors")) return named("GetBucketCors", getBucketCors);
  if (query.has("versions")) return named("ListObjectVersions", listObjectVersions);
  if (query.has("uploads")) return named("ListMultipartUploads", listMultipartUploads);
  return query.get("list-type") === "2"
    ? named("ListObjectsV2", listObjectsV2)
    : named("ListObjects", listObjects);
};

/** The operation of a request for an object. */
export const chooseObjectOperation = (shape: Shape): Chosen<ObjectOperation> => {
  const { headers, method, query } = shape;
  const refused = missing(missingOfObject, shape);
  if (refused !== undefined) return refused;
  switch (method) {
    case "GET":
      if (query.has("tagging")) return named("GetObjectTagging", getObjectTagging);
      if (query.has("attributes")) return named("GetObjectAttributes", getObjectAttributes);
      if (query.has("uploadId")) return named("ListParts", listParts);
      return named("GetObject", getObject);
    case "HEAD":
      return named("HeadObject", headObject);
    case "PUT":
      if (query.has("tagging")) return named("PutObjectTagging", putObjectTagging);
      if (query.has("uploadId") || query.has("partNumber")) {
        return headers["x-amz-copy-source"] === undefined
          ? named("UploadPart", uploadPart)
          : named("UploadPartCopy", uploadPartCopy);
      }
      return headers["x-amz-copy-source"] === undefined
        ? named("PutObject", putObject)
        : named("CopyObject", copyObject);
    case "DELETE":
      if (query.has("tagging")) return named("DeleteObjectTagging", deleteObjectTagging);
      if (query.has("uploadId")) return named("AbortMultipartUpload", abortMultipartUpload);
      return named("DeleteObject", deleteObject);
    case "POST":
      if (query.has("uploads")) return named("CreateMultipartUpload", createMultipartUpload);
      if (query.has("uploadId")) return named("CompleteMultipartUpload", completeMultipartUpload);
      return { name: "POST on an object" };
    default:
      return { name: `${method} on an object` };
  }
};
