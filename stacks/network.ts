/**
 * Where containers run: two public subnets without a way in, and doors to S3 and DynamoDB that cost nothing and leave
 * no AWS network (requirement D4.11).
 *
 * No NAT gateway: it would be paid by the hour while nothing runs.
 */
import { region, stage } from "./stage";

const make = () => {
  const vpc = new sst.aws.Vpc("Network", { az: 2 });
  for (const service of ["s3", "dynamodb"]) {
    new aws.ec2.VpcEndpoint(`NetworkTo${service}`, {
      vpcId: vpc.id,
      serviceName: $interpolate`com.amazonaws.${region}.${service}`,
      vpcEndpointType: "Gateway",
      routeTableIds: vpc.nodes.publicRouteTables.apply((tables) => tables.map(({ id }) => id)),
    });
  }
  const outwards = new aws.ec2.SecurityGroup("TaskNetwork", {
    vpcId: vpc.id,
    description: "tasks call AWS, and nobody calls them",
    ingress: [],
    egress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["0.0.0.0/0"] }],
  });
  return { vpc, outwards };
};

/** Only where there are containers. */
export const network = stage.isWatched ? make() : undefined;
