/**
 * `--stage NAME`, which every command takes. Apart from Stage, because help is shown without any AWS client.
 */
import { Flag, GlobalFlag } from "effect/cli";

/** The stage that was asked for. */
export const StageFlag = GlobalFlag.Setting("stage")({
  flag: Flag.String("stage").pipe(
    Flag.withDescription(
      "A deployed stage (prod, or your own) of the account and region of the environment (AWS_PROFILE, AWS_REGION); without it the local mode that runs here, or that of AWS_ENDPOINT_URL",
    ),
    Flag.optional,
  ),
});
