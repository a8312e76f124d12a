/** The function of the pipeline payments. */
import { pipelineHandler } from "@millrace/functions/pipelineHandler";
import { payments } from "../bank.ts";
import { layerPayment, Payment } from "../Payment.ts";

export const handler = pipelineHandler(payments, Payment, layerPayment);
