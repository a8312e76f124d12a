/**
 * The cluster of the containers, and the registry of their image.
 */
import { named, stage } from "./stage";

/** Images that are kept: enough to go back to any of the last deployments (requirement D2.1). */
const imagesMax = 10;

const make = () => {
  const cluster = new aws.ecs.Cluster("Tasks", {
    name: named("tasks"),
    settings: [{ name: "containerInsights", value: stage.isProduction ? "enabled" : "disabled" }],
  });
  new aws.ecs.ClusterCapacityProviders("TasksCapacity", {
    clusterName: cluster.name,
    capacityProviders: ["FARGATE_SPOT", "FARGATE"],
    defaultCapacityProviderStrategies: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
  });
  const repository = new aws.ecr.Repository("TaskImages", {
    name: named("tasks"),
    forceDelete: !stage.isProduction,
    imageScanningConfiguration: { scanOnPush: true },
    encryptionConfigurations: [{ encryptionType: "AES256" }],
  });
  new aws.ecr.LifecyclePolicy("TaskImagesKept", {
    repository: repository.name,
    policy: $jsonStringify({
      rules: [
        {
          rulePriority: 1,
          description: `the last ${imagesMax} images`,
          selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: imagesMax },
          action: { type: "expire" },
        },
      ],
    }),
  });
  return { cluster, repository, image: makeImage(repository) };
};

const makeImage = (repository: aws.ecr.Repository) => {
  const login = aws.ecr.getAuthorizationTokenOutput({ registryId: repository.registryId });
  const cache = $interpolate`${repository.repositoryUrl}:cache`;
  return new dockerbuild.Image("TaskImage", {
    context: { location: $cli.paths.root },
    dockerfile: { location: `${$cli.paths.root}/packages/functions/Dockerfile` },
    platforms: ["linux/amd64"],
    push: true,
    tags: [$interpolate`${repository.repositoryUrl}:${stage.codeVersion}`],
    cacheFrom: [{ registry: { ref: cache } }],
    cacheTo: [{ registry: { ref: cache, imageManifest: true, ociMediaTypes: true, mode: "max" } }],
    registries: [
      {
        address: login.proxyEndpoint,
        username: login.userName,
        password: $util.secret(login.password),
      },
    ],
  });
};

/** Only where there are containers. */
export const cluster = stage.isWatched ? make() : undefined;
