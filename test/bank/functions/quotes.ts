/** The function of the pipeline quotes. */
import { pipelineHandler } from "@millrace/functions/pipelineHandler";
import { quotes } from "../bank.ts";
import { layerQuote, Quote } from "../Receipt.ts";

export const handler = pipelineHandler(quotes, Quote, layerQuote);
