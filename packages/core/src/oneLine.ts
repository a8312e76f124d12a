/** A text without line breaks: a schema's message has several lines, an error's message is one. */
export const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ");
