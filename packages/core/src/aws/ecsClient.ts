/** What is used of ECS's client, apart from EcsTasks: loaded when the first task is launched, and none of the rest with it. */
export { ECSClient, RunTaskCommand, StopTaskCommand } from "@aws-sdk/client-ecs";
