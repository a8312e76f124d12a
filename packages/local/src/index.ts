export { type AwsConnection, connectionVariables, EmbeddedAws } from "./EmbeddedAws.ts";
export { Ecs, type TaskDefinition } from "./ecs/Ecs.ts";
export { taskArn } from "./ecs/EcsNames.ts";
export type { HostEvent } from "./host/HostEvent.ts";
export * from "./host/LocalResources.ts";
export { clientConfig, type LocalTimes, ProvisioningFailed } from "./host/provision.ts";
export { HostEvents, layerLocalMode, type LocalModeOptions, topologyTimes } from "./LocalMode.ts";
export { localAccount } from "./LocalAccount.ts";
export { ServerNotListening } from "./http/server.ts";
