/**
 * Property lists in Apple's XML form: written so that the same value gives the same octets, and read strictly.
 * Source: the DTD `-//Apple//DTD PLIST 1.0//EN`; binary lists (`bplist00`) are named, not read.
 */
import { DecodeError } from "../decode-error.ts";
import { isXmlText } from "../wbxml/charset.ts";
import { childrenOf } from "../wbxml/element.ts";
import { readXml, XML_LIMITS } from "../xml/read.ts";
import { escaped, type XmlElement } from "../xml/tree.ts";

/** A number that is written with a decimal point; plain numbers are integers. */
export class PlistReal {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A value of a list. Dates hold whole seconds. */
export type PlistValue =
  | string
  | number
  | PlistReal
  | boolean
  | Date
  | Uint8Array
  | readonly PlistValue[]
  | PlistDict;
/** A dictionary, in the order in which it is written; a member that is undefined is left out. */
export interface PlistDict {
  readonly [key: string]: PlistValue | undefined;
}

const HEAD = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
  '<plist version="1.0">',
];
/** Deeper than any profile; a hostile list ends here. */
const DEPTH_MAX = 12;

/** @throws RangeError: text that XML cannot hold, a number that is no integer, or a value nested too deep */
export function encodePlist(value: PlistValue): Uint8Array {
  return new TextEncoder().encode([...HEAD, ...linesOf(value, 0), "</plist>", ""].join("\n"));
}

function linesOf(value: PlistValue, depth: number): string[] {
  if (depth > DEPTH_MAX) throw new RangeError(`a property list of more than ${DEPTH_MAX} levels`);
  const indent = "\t".repeat(depth);
  if (typeof value === "string") return [`${indent}<string>${xmlOf(value)}</string>`];
  if (typeof value === "boolean") return [`${indent}<${value}/>`];
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer`);
    return [`${indent}<integer>${value}</integer>`];
  }
  if (value instanceof PlistReal) return [`${indent}<real>${realTextOf(value)}</real>`];
  if (value instanceof Date) return [`${indent}<date>${value.toISOString().slice(0, 19)}Z</date>`];
  if (value instanceof Uint8Array) return [`${indent}<data>${Buffer.from(value).toString("base64")}</data>`];
  if (isList(value)) {
    if (value.length === 0) return [`${indent}<array/>`];
    return [`${indent}<array>`, ...value.flatMap((one) => linesOf(one, depth + 1)), `${indent}</array>`];
  }
  const members = Object.entries(value).flatMap(([key, member]) =>
    member === undefined ? [] : [`${indent}\t<key>${xmlOf(key)}</key>`, ...linesOf(member, depth + 1)],
  );
  return members.length === 0 ? [`${indent}<dict/>`] : [`${indent}<dict>`, ...members, `${indent}</dict>`];
}

function realTextOf({ value }: PlistReal): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no number that a property list holds`);
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const isList = (value: PlistValue): value is readonly PlistValue[] => Array.isArray(value);

function xmlOf(text: string): string {
  if (!isXmlText(text)) throw new RangeError("text with a character that XML cannot hold");
  return escaped(text);
}

/** @throws DecodeError: no XML, no property list, or one that breaks its rules */
export function decodePlist(bytes: Uint8Array): PlistValue {
  if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") === "bplist00")
    throw new DecodeError("a binary property list, where XML is wanted", 0);
  const { root } = readXml(bytes, { doctype: true, limits: { ...XML_LIMITS, depth: DEPTH_MAX + 2 } });
  if (root.name !== "plist") throw fault(root, `an element ${root.name} where plist is wanted`);
  const [value, ...more] = valuesIn(root);
  if (!value || more.length > 0) throw fault(root, "a property list without its one value");
  return plistValueOf(value);
}

const fault = ({ at = 0 }: XmlElement, fact: string): DecodeError => new DecodeError(fact, at);

/** White space between elements means nothing; other text is a fault. */
function valuesIn(parent: XmlElement): XmlElement[] {
  if (parent.content.some((part) => typeof part === "string" && part.trim() !== ""))
    throw fault(parent, `text inside ${parent.name}`);
  return childrenOf(parent);
}

function textOf(one: XmlElement): string {
  const [text = "", ...more] = one.content;
  if (typeof text !== "string" || more.length > 0) throw fault(one, `an element inside ${one.name}`);
  return text;
}

function plistValueOf(one: XmlElement): PlistValue {
  switch (one.name) {
    case "string":
      return textOf(one);
    case "true":
    case "false":
      if (one.content.length > 0) throw fault(one, `something inside ${one.name}`);
      return one.name === "true";
    case "integer":
      return integerOf(one);
    case "real":
      return realOf(one);
    case "date":
      return dateOf(one);
    case "data":
      return dataOf(one);
    case "array":
      return valuesIn(one).map(plistValueOf);
    case "dict":
      return dictOf(one);
    default:
      throw fault(one, `an element ${one.name} that no property list has`);
  }
}

function integerOf(one: XmlElement): number {
  const text = textOf(one).trim();
  const value = Number(text);
  if (!/^[+-]?\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) throw fault(one, "no integer");
  return value;
}

function realOf(one: XmlElement): PlistReal {
  const text = textOf(one).trim();
  if (!/^[+-]?\d{1,16}(?:\.\d{1,16})?(?:[eE][+-]?\d{1,2})?$/.test(text)) throw fault(one, "no number");
  return new PlistReal(Number(text));
}

function dateOf(one: XmlElement): Date {
  const text = textOf(one).trim();
  const date = new Date(text);
  const isRead = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) && !Number.isNaN(date.getTime());
  if (!isRead || `${date.toISOString().slice(0, 19)}Z` !== text) throw fault(one, "no date");
  return date;
}

function dataOf(one: XmlElement): Uint8Array {
  const text = textOf(one).replace(/\s+/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw fault(one, "no base64");
  return Uint8Array.from(Buffer.from(text, "base64"));
}

function dictOf(one: XmlElement): PlistDict {
  const parts = valuesIn(one);
  const members = new Map<string, PlistValue>();
  for (let at = 0; at < parts.length; at += 2) {
    const [key, value] = [parts[at], parts[at + 1]];
    if (key?.name !== "key") throw fault(key ?? one, "a member without its key");
    if (!value || value.name === "key") throw fault(key, "a key without its value");
    const name = textOf(key);
    if (members.has(name)) throw fault(key, `the key ${name.slice(0, 40)} twice`);
    members.set(name, plistValueOf(value));
  }
  return Object.fromEntries(members);
}
