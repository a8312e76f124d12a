/**
 * The last line before a text leaves: what may have slipped into an error's message is taken out before it is logged,
 * recorded, traced, announced or dead-lettered.
 *
 *   secrets         that this process has read (see Secrets), wherever they stand       -> <secret NAME>
 *   card numbers    13 to 19 digits, spaces and dashes let pass, of a known scheme whose check digit is right
 *                                                                                       -> <card number>
 *   excerpts        of a text that JSON.parse could not read, which it quotes           -> <text>
 *
 * It is not what keeps data from leaving: that is done by errors that do not quote any (see docs/events.md). It knows
 * nothing of names and addresses.
 */
import { Option, Predicate } from "effect";

/** Shorter values are no secrets, and would be found everywhere. */
const secretCharactersMin = 6;

/** By the text that stands for them. Of the process, because texts leave it from anywhere. */
const secrets = new Map<string, string>();

/** From now on the value is masked, as it is and as a part of JSON, of a URL, or in base 64. */
export const learnSecret = (name: string, value: string): void => {
  if (value.length < secretCharactersMin) return;
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    Buffer.from(value, "utf8").toString("base64"),
  ];
  for (const form of forms) secrets.set(form, name);
};

/** The text without them. */
export const maskText = (text: string): string => {
  let masked = text;
  for (const [value, name] of secrets) {
    if (masked.includes(value)) masked = masked.replaceAll(value, `<secret ${name}>`);
  }
  if (masked.includes("is not valid JSON")) {
    masked = masked.replaceAll(excerpt, "$1<text> is not valid JSON");
  }
  return masked.replaceAll(digits, (found) => (isCardNumber(found) ? cardMask : found));
};

/** The JSON value with every text in it masked, and names of members, too; the same value when nothing had to be. */
export const maskJson = (json: unknown): unknown => {
  if (typeof json === "string") return maskText(json);
  if (typeof json === "number") return isCardNumber(String(json)) ? cardMask : json;
  if (Array.isArray(json)) {
    const masked = json.map(maskJson);
    return masked.every((member, index) => member === json[index]) ? json : masked;
  }
  if (!Predicate.isObject(json)) return json;
  const masked = Object.entries(json).map(
    ([name, member]) => [maskText(name), maskJson(member), name, member] as const,
  );
  return masked.every(([name, member, before, held]) => name === before && member === held)
    ? json
    : Object.fromEntries(masked);
};

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text));

/** The same for a JSON document as text, which stays one: a number becomes a text where it has to be masked. */
export const maskJsonText = (text: string): string =>
  maskText(text) === text
    ? text
    : Option.match(parseJson(text), {
        onNone: () => maskText(text),
        onSome: (json) => JSON.stringify(maskJson(json)),
      });

/** The name of a secret whose value is in the JSON value. Costs nothing while no secret has been read. */
export const secretIn = (json: unknown): string | undefined => {
  if (secrets.size === 0) return undefined;
  const text = JSON.stringify(json) ?? "";
  for (const [value, name] of secrets) if (text.includes(value)) return name;
  return undefined;
};

/** V8 quotes a text as `Unexpected token 'x', "x1 y2"... is not valid JSON`; within JSON the quotes are escaped. */
const excerpt =
  /(Unexpected token [^]{1,12}?, |^|: )(?:\.\.\.)?\\?"[^]*?"(?:\.\.\.)? is not valid JSON/g;

/** Digits that belong to nothing else: ids and hashes have letters before or behind. */
const digits = /(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])/g;

const cardMask = "<card number>";

/** First digits of the card schemes: Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay. */
const scheme = /^(?:4|5[1-5]|2[2-7]|3[47]|3[0689]|35|6[0245])/;

const isCardNumber = (found: string): boolean => {
  const number = found.replaceAll(/[ -]/g, "");
  return /^\d{13,19}$/.test(number) && scheme.test(number) && hasCheckDigit(number);
};

/** Luhn's check: from the right every second digit is doubled, and the sum of all digits ends with 0. */
const hasCheckDigit = (number: string): boolean => {
  let sum = 0;
  for (let index = 0; index < number.length; index++) {
    const digit = Number(number[number.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
};
