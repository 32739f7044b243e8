/**
 * `turnup/client`: the client module of a device with its way to the proxy (TLS 1.3, EST) and its memory, for makers who build it into
 * a handset. docs/handset-client.md is where to begin; what a handset has of its own (radio, display, keys) it brings.
 */
export type { AddressBook } from "../device/address-book.ts";
export { type ClientModule, type ClientModuleOptions, createClientModule } from "../device/client-module.ts";
export type { ClientEffect, ClientEvent } from "../device/client-turn.ts";
export type { DeviceClass } from "../device/device-class.ts";
export type { StoredIdentity } from "../device/identity.ts";
export { factoryModules, type ModuleSet } from "../device/modules.ts";
export type { WidebandAnswer, WidebandRequest } from "../device/outbound.ts";
export { type DeviceStorage, type DeviceStore, openDeviceStore, StorageFullError } from "../device/store.ts";
export { NOTICE_PORT } from "../wire/message/notice.ts";
export type { Key } from "../wire/screen/keypad.ts";
export { createReassembler, type Reassembler } from "../wire/sms/reassembly.ts";
export { type Enrolment, enrol, isDueForRenewal, renew } from "./enrolment.ts";
export { openFlash } from "./flash.ts";
export { type Credential, type Link, type LinkAnswer, type LinkOptions, openLink } from "./link.ts";
