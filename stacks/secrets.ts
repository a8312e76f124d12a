/**
 * The secrets that activities read, by the names in the topology. Their values are put in by people, never by a deploy:
 * `aws secretsmanager put-secret-value`.
 *
 * Nothing is paid where no pipeline names one.
 */
import { allPipelines } from "./topology";
import { named } from "./stage";

/** What the names of the stage's secrets begin with. */
export const secretsPrefix = `${named("secrets")}/`;

const names = new Set(allPipelines.flatMap(({ secrets = [] }) => secrets));

const made = new Map(
  [...names].map((name) => [
    name,
    new aws.secretsmanager.Secret(`Secret${name}`, {
      name: `${secretsPrefix}${name}`,
      recoveryWindowInDays: 7,
    }),
  ]),
);

/** The ARNs of the secrets of the given names. */
export const secretArns = (wanted: ReadonlyArray<string> = []) =>
  wanted.flatMap((name) => made.get(name)?.arn ?? []);
