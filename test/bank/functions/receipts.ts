/** The function of the pipeline receipts. */
import { chainHandler } from "@millrace/functions/pipelineHandler";
import { receipts } from "../bank.ts";
import { layerReceipt, Receipt } from "../Receipt.ts";

export const handler = chainHandler(
  receipts,
  Receipt,
  ({ executionId, subject }) => ({ payment: executionId, about: subject }),
  layerReceipt,
);
