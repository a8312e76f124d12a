/**
 * The results as tables that Athena can query (requirement D1.8): a database, in which pipelines register their datasets,
 * and a crawler that finds the tables and their partitions in what else was written under `processed/`.
 *
 * The crawler runs when somebody starts it, because it is paid by the minute: `aws glue start-crawler`.
 */
import { buckets } from "./buckets";
import { rights, trustOf } from "./lib/policies";
import { account, named, region } from "./stage";
import { allPipelines } from "./topology";

const database = new aws.glue.CatalogDatabase("Catalog", {
  name: named("results").replaceAll("-", "_"),
  description: "what the pipelines have written",
});

const catalogArn = $interpolate`arn:aws:glue:${region}:${account}`;
const databaseArns = [
  $interpolate`${catalogArn}:catalog`,
  $interpolate`${catalogArn}:database/${database.name}`,
];
/** What a right on a table, or with `*` on all of them, is about: Glue wants those above it, too. */
const tableArns = (table: string) => [
  ...databaseArns,
  $interpolate`${catalogArn}:table/${database.name}/${table}`,
];
const crawlerName = named("results");

const role = new aws.iam.Role("Crawler", {
  assumeRolePolicy: trustOf("glue.amazonaws.com", {
    StringEquals: { "aws:SourceAccount": account },
  }),
  inlinePolicies: [
    {
      name: "inline",
      policy: rights([
        {
          actions: ["s3:GetObject"],
          resources: [$interpolate`${buckets.clean.arn}/processed/*`],
        },
        { actions: ["s3:ListBucket", "s3:GetBucketLocation"], resources: [buckets.clean.arn] },
        {
          actions: [
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:GetTables",
            "glue:CreateTable",
            "glue:UpdateTable",
            "glue:GetPartition",
            "glue:BatchGetPartition",
            "glue:BatchCreatePartition",
            "glue:UpdatePartition",
          ],
          resources: tableArns("*"),
        },
        {
          actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
          resources: [
            $interpolate`arn:aws:logs:${region}:${account}:log-group:/aws-glue/crawlers:*`,
          ],
        },
      ]),
    },
  ],
});

new aws.glue.Crawler("Results", {
  name: crawlerName,
  databaseName: database.name,
  role: role.arn,
  s3Targets: [
    {
      path: $interpolate`s3://${buckets.clean.name}/processed/`,
      // What a pipeline registers itself would get a second table.
      exclusions: allPipelines.flatMap(({ dataset }) => (dataset ? [`${dataset.table}/**`] : [])),
    },
  ],
  // What has vanished is only marked: a table that somebody queries does not go away by itself.
  schemaChangePolicy: { deleteBehavior: "LOG", updateBehavior: "UPDATE_IN_DATABASE" },
});

export const catalog = { database, crawlerName, tableArns };
