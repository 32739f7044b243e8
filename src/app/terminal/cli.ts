/**
 * The program `turnup`: the list of its commands and its tie to the process. How to add one: see `command.ts`.
 * Each is loaded when it is called, so that `turnup imei` does not wait for the server's libraries.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../../store/dataset/folder.ts";
import { membersOf } from "../../term/narrow.ts";
import type { Command, CommandEntry } from "./command.ts";
import { runCli } from "./runner.ts";

// biome-ignore format: one line a command, sorted
const COMMANDS: readonly CommandEntry[] = [
  { name: "access-point add", summary: "Add access points of the operator's own, for all models or some", load: async () => (await import("../command/access-point.ts")).accessPointAddCommand },
  { name: "access-point confirm", summary: "Confirm suggested access points: they become the operator's own, and are sent", load: async () => (await import("../command/access-point-suggest.ts")).accessPointConfirmCommand },
  { name: "access-point file", summary: "Write access points as a file for Android devices", load: async () => (await import("../command/access-point.ts")).accessPointFileCommand },
  { name: "access-point list", summary: "List the operator's own access points", load: async () => (await import("../command/access-point.ts")).accessPointListCommand },
  { name: "access-point remove", summary: "Retire an access point of the operator's own", load: async () => (await import("../command/access-point.ts")).accessPointRemoveCommand },
  { name: "approval approve", summary: "Approve what waits for a person: it is carried out at once", load: async () => (await import("../command/approval.ts")).approvalApproveCommand },
  { name: "approval list", summary: "List what waits for a person to agree to it", load: async () => (await import("../command/approval.ts")).approvalListCommand },
  { name: "approval refuse", summary: "Refuse what waits for a person", load: async () => (await import("../command/approval.ts")).approvalRefuseCommand },
  { name: "approval show", summary: "Show what an approval would do, who asked for it and why", load: async () => (await import("../command/approval.ts")).approvalShowCommand },
  { name: "access-point retire", summary: "Retire an access point of the operator's own, once it is said for which uses none would be left", load: async () => (await import("../command/access-point-suggest.ts")).accessPointRetireCommand },
  { name: "access-point suggest", summary: "Show which access points are known for the operator's SIMs, to be confirmed", load: async () => (await import("../command/access-point-suggest.ts")).accessPointSuggestCommand },
  { name: "access-point test", summary: "Show which access points a SIM would get, by which rule, in which form, and why others are passed over", load: async () => (await import("../command/access-point-suggest.ts")).accessPointTestCommand },
  { name: "backup", summary: "Write the whole database into one file, while it is in use", load: async () => (await import("../command/backup.ts")).backupCommand },
  { name: "catalog export", summary: "Print the whole catalog as a YAML file, to be reviewed, kept and imported", load: async () => (await import("../command/catalog.ts")).catalogExportCommand },
  { name: "catalog import", summary: "Make the catalog what a YAML file says, as a whole or not at all", load: async () => (await import("../command/catalog.ts")).catalogImportCommand },
  { name: "catalog list", summary: "List what can be asked for: features, services, packages", load: async () => (await import("../command/catalog.ts")).catalogListCommand },
  { name: "catalog show", summary: "Show one item of the catalog with its versions", load: async () => (await import("../command/catalog.ts")).catalogShowCommand },
  { name: "collection book", summary: "Book what the payment provider says of a sum that it never answered", load: async () => (await import("../command/collection.ts")).collectionBookCommand },
  { name: "collection list", summary: "List sums that are collected from subscribers, newest first", load: async () => (await import("../command/collection.ts")).collectionListCommand },
  { name: "collection owed", summary: "Show what subscribers owe together: sums that were not taken, and those that came back", load: async () => (await import("../command/collection.ts")).collectionOwedCommand },
  { name: "collection returns", summary: "List sums that were taken and came back, newest first, with their reasons", load: async () => (await import("../command/collection.ts")).collectionReturnsCommand },
  { name: "collection settle-return", summary: "Say which sum a return is of, or that you have seen to one that is of none", load: async () => (await import("../command/collection.ts")).collectionSettleReturnCommand },
  { name: "config", summary: "Show the settings in force and where each comes from", load: async () => (await import("../command/config.ts")).configCommand },
  { name: "creditor list", summary: "List the accounts that payment files pay to and from, masked", load: async () => (await import("../command/creditor.ts")).creditorListCommand },
  { name: "creditor remove", summary: "Forget a manufacturer's account; its portions wait until there is another", load: async () => (await import("../command/creditor.ts")).creditorRemoveCommand },
  { name: "creditor set", summary: "Write the account to which a manufacturer's portions are paid by file", load: async () => (await import("../command/creditor.ts")).creditorSetCommand },
  { name: "data-session change", summary: "Have the data sessions of a SIM treated otherwise by their gateways from now on", load: async () => (await import("../command/data-session.ts")).dataSessionChangeCommand },
  { name: "data-session disconnect", summary: "Have the data sessions of a SIM ended by their gateways", load: async () => (await import("../command/data-session.ts")).dataSessionDisconnectCommand },
  { name: "data-session list", summary: "List the data sessions of a SIM that may be ended here", load: async () => (await import("../command/data-session.ts")).dataSessionListCommand },
  { name: "device propose", summary: "Propose which models TACs are of that no list names; they count when a person approves", load: async () => (await import("../command/device-review.ts")).deviceProposeCommand },
  { name: "device special", summary: "Tell how often numbers came that name no handset: zeros, runs and numbers for tests", load: async () => (await import("../command/sources.ts")).deviceSpecialCommand },
  { name: "device unknown", summary: "List the TACs that were seen and that no list names", load: async () => (await import("../command/devices.ts")).deviceUnknownCommand },
  { name: "dispute decide", summary: "Decide a dispute: the line is kept, or reversed by a posting of its own", load: async () => (await import("../command/statement.ts")).disputeDecideCommand },
  { name: "dispute list", summary: "List disputed lines of statements, newest first", load: async () => (await import("../command/statement.ts")).disputeListCommand },
  { name: "dispute open", summary: "Say that a line of a statement is wrong; its portion goes into no payment file until it is decided", load: async () => (await import("../command/statement.ts")).disputeOpenCommand },
  { name: "doubt end", summary: "Say that you have looked, and that the handset is what its IMEI says", load: async () => (await import("../command/device-review.ts")).doubtEndCommand },
  { name: "doubt list", summary: "List doubts whether handsets are what their IMEIs say, newest first", load: async () => (await import("../command/device-review.ts")).doubtListCommand },
  { name: "equipment build", summary: "Build a sorted file of statuses out of rows in any order, for a register of hundreds of millions of handsets", load: async () => (await import("../command/equipment-build.ts")).equipmentBuildCommand },
  { name: "equipment check", summary: "Show what a core would be answered about a handset, and by which list", load: async () => (await import("../command/equipment.ts")).equipmentCheckCommand },
  { name: "equipment switch", summary: "Turn all black answers off, or on again, on every server within a second; without a word show how it stands", load: async () => (await import("../command/equipment.ts")).equipmentSwitchCommand },
  { name: "equipment verify", summary: "Read a sorted file of statuses whole, and say what it holds and whether its octets are as they were built", load: async () => (await import("../command/equipment-build.ts")).equipmentVerifyCommand },
  { name: "equipment-list add", summary: "Make a list of handsets; it is empty at first", load: async () => (await import("../command/equipment-list.ts")).equipmentListAddCommand },
  { name: "equipment-list change", summary: "Add handsets, ranges and models to a list, or take them away: all of it or nothing", load: async () => (await import("../command/equipment-list.ts")).equipmentListChangeCommand },
  { name: "equipment-list export", summary: "Print what a list of handsets holds, as the file that an import reads", load: async () => (await import("../command/equipment-list.ts")).equipmentListExportCommand },
  { name: "equipment-list import", summary: "Bring a file for a list of handsets: a job compares it with what is in force", load: async () => (await import("../command/equipment-list.ts")).equipmentListImportCommand },
  { name: "equipment-list list", summary: "List the operator's own lists of handsets, highest priority first", load: async () => (await import("../command/equipment-list.ts")).equipmentListListCommand },
  { name: "equipment-list remove", summary: "Remove a list of handsets with its versions; a black one has to be nearly empty", load: async () => (await import("../command/equipment-list.ts")).equipmentListRemoveCommand },
  { name: "equipment-list restore", summary: "Put a former version of a list of handsets back in force, as a new one", load: async () => (await import("../command/equipment-list.ts")).equipmentListRestoreCommand },
  { name: "equipment-list versions", summary: "List the versions of a list of handsets, newest first", load: async () => (await import("../command/equipment-list.ts")).equipmentListVersionsCommand },
  { name: "event types", summary: "List every type of event, with what it says", load: async () => (await import("../command/events.ts")).eventTypesCommand },
  { name: "events", summary: "Print everything that changed: orders, items, pairings, messages, charges, registrations", load: async () => (await import("../command/events.ts")).eventsCommand },
  { name: "imei", summary: "Check IMEIs, name the model, judge whether its maker has left it behind", load: async () => (await import("../command/imei.ts")).imeiCommand },
  { name: "import", summary: "Bring an operator's own data: TAC lists, access points, lifecycles, capabilities, relations", load: async () => (await import("../command/import.ts")).importCommand },
  { name: "issuer show", summary: "Show the public key by which handsets check keys and content of this installation", load: async () => (await import("../command/issuer.ts")).issuerShowCommand },
  { name: "job cancel", summary: "Cancel a job that has not ended", load: async () => (await import("../command/job.ts")).jobCancelCommand },
  { name: "job list", summary: "List jobs, newest first: imports and other work that takes longer than a request", load: async () => (await import("../command/job.ts")).jobListCommand },
  { name: "job rows", summary: "Print what became of each row of a job", load: async () => (await import("../command/job.ts")).jobRowsCommand },
  { name: "job show", summary: "Show how far a job is, what it came to, and what comes next", load: async () => (await import("../command/job.ts")).jobShowCommand },
  { name: "keys import", summary: "Store a maker's batch of keys, each for the handset that needs it first", load: async () => (await import("../command/keys.ts")).keysImportCommand },
  { name: "keys list", summary: "List makers' batches of keys, and what is left of them", load: async () => (await import("../command/keys.ts")).keysListCommand },
  { name: "keys withdraw", summary: "Give nobody a key of a batch any more", load: async () => (await import("../command/keys.ts")).keysWithdrawCommand },
  { name: "ledger", summary: "Show who owes whom, with the proof that the books balance, and the latest postings", load: async () => (await import("../command/ledger.ts")).ledgerCommand },
  { name: "maker", summary: "Run a manufacturer's key server over mutual TLS", load: async () => (await import("../command/maker.ts")).makerCommand },
  { name: "migrate", summary: "Bring the database to this release", load: async () => (await import("../command/migrate.ts")).migrateCommand },
  { name: "offer list", summary: "List offers and what became of them, newest first", load: async () => (await import("../command/offer.ts")).offerListCommand },
  { name: "offer send", summary: "Offer an item of the catalog to subscribers by SMS", load: async () => (await import("../command/offer.ts")).offerSendCommand },
  { name: "operator add", summary: "Make an operator: one whose phones are turned up, with data of its own", load: async () => (await import("../command/operator.ts")).operatorAddCommand },
  { name: "order list", summary: "List orders, newest first", load: async () => (await import("../command/orders.ts")).orderListCommand },
  { name: "order show", summary: "Tell the whole story of one order", load: async () => (await import("../command/order.ts")).orderShowCommand },
  { name: "payer set", summary: "Write the account from which payment files pay", load: async () => (await import("../command/creditor.ts")).payerSetCommand },
  { name: "payload decode", summary: "Decode a provisioning message of any layer and check its MAC", load: async () => (await import("../command/payload.ts")).payloadDecodeCommand },
  { name: "payload notify", summary: "Compose the SMS that asks a device to open an OMA DM session", load: async () => (await import("../command/payload-notify.ts")).payloadNotifyCommand },
  { name: "payload encode", summary: "Encode a settings document as WBXML, WSP push and SMS parts", load: async () => (await import("../command/payload.ts")).payloadEncodeCommand },
  { name: "payment approve", summary: "Approve a payment file as its second person: from then on it can be had", load: async () => (await import("../command/payment.ts")).paymentApproveCommand },
  { name: "payment cancel", summary: "Take back a transfer whose file no bank has: its portions wait for the next one", load: async () => (await import("../command/payment.ts")).paymentCancelCommand },
  { name: "payment due", summary: "Show what a payment file would pay now, and what it would leave out", load: async () => (await import("../command/payment.ts")).paymentDueCommand },
  { name: "payment file", summary: "Write a payment file again, octet for octet as it was made", load: async () => (await import("../command/payment.ts")).paymentFileCommand },
  { name: "payment import", summary: "Book what a bank says: camt.054, camt.053 or pain.002", load: async () => (await import("../command/payment.ts")).paymentImportCommand },
  { name: "payment list", summary: "List payment files, newest first", load: async () => (await import("../command/payment.ts")).paymentListCommand },
  { name: "payment make", summary: "Make a payment file (pain.001.001.09) of all portions that wait", load: async () => (await import("../command/payment.ts")).paymentMakeCommand },
  { name: "payment refuse", summary: "Refuse a payment file: what it would have paid waits for the next one", load: async () => (await import("../command/payment.ts")).paymentRefuseCommand },
  { name: "payment show", summary: "Show one payment file: each transfer, and what the bank said of it", load: async () => (await import("../command/payment.ts")).paymentShowCommand },
  { name: "payment waiting", summary: "List transfers that wait for a bank's word, the longest overdue first", load: async () => (await import("../command/payment.ts")).paymentWaitingCommand },
  { name: "policy compare", summary: "Compare another operator's list of TACs with our verdicts: each difference with its rule, fact, source and date", load: async () => (await import("../command/policy-compare.ts")).policyCompareCommand },
  { name: "policy diff", summary: "Show what differs between two versions of the policy, or would with a file", load: async () => (await import("../command/policy.ts")).policyDiffCommand },
  { name: "policy history", summary: "List the versions of the policy, newest first: who made each, when, why, and what it changed", load: async () => (await import("../command/policy.ts")).policyHistoryCommand },
  { name: "policy keys", summary: "List every key of a policy: what it does, what it may hold, its unit, how it ships", load: async () => (await import("../command/policy-keys.ts")).policyKeysCommand },
  { name: "policy put", summary: "Put a policy file in force: what it names changes, all else stays", load: async () => (await import("../command/policy.ts")).policyPutCommand },
  { name: "policy replay", summary: "Show which past verdicts would be others under a policy file, and why, before it goes live", load: async () => (await import("../command/policy-replay.ts")).policyReplayCommand },
  { name: "policy rollback", summary: "Put a former version of the policy in force again, as the next version", load: async () => (await import("../command/policy.ts")).policyRollbackCommand },
  { name: "policy set", summary: "Set one key of the policy: the next version is in force at once", load: async () => (await import("../command/policy.ts")).policySetCommand },
  { name: "policy show", summary: "Show the policy in force, or a former version of it, as a YAML file", load: async () => (await import("../command/policy.ts")).policyShowCommand },
  { name: "proxy", summary: "Run the proxy that leads devices to provisioning servers, both sides proved", load: async () => (await import("../command/proxy.ts")).proxyCommand },
  { name: "proxy-account block", summary: "Block a device: it is refused from its next message on, at every proxy", load: async () => (await import("../command/proxy-account.ts")).proxyAccountBlockCommand },
  { name: "proxy-account close", summary: "Close a device's account at every proxy: its certificates open nothing any more", load: async () => (await import("../command/proxy-account.ts")).proxyAccountCloseCommand },
  { name: "proxy-account list", summary: "List accounts of devices at the proxies, newest first, and how far each proxy was told", load: async () => (await import("../command/proxy-account.ts")).proxyAccountListCommand },
  { name: "proxy-account put", summary: "Open a device's account at every proxy, or say which SIM is in the device now", load: async () => (await import("../command/proxy-account.ts")).proxyAccountPutCommand },
  { name: "proxy-account release", summary: "Let a blocked device in again", load: async () => (await import("../command/proxy-account.ts")).proxyAccountReleaseCommand },
  { name: "proxy-account show", summary: "Show how a device's account stands, and which proxies know it", load: async () => (await import("../command/proxy-account.ts")).proxyAccountShowCommand },
  { name: "record erase", summary: "Erase the record of one subscriber for good", load: async () => (await import("../command/record.ts")).recordEraseCommand },
  { name: "record import", summary: "Bring the operator's own subscriber records, with which those who ask are compared", load: async () => (await import("../command/record.ts")).recordImportCommand },
  { name: "record show", summary: "Show the record of one subscriber, masked", load: async () => (await import("../command/record.ts")).recordShowCommand },
  { name: "request answer", summary: "Answer a request for its subscriber: its terms, a failed installation, missing fields and details", load: async () => (await import("../command/request.ts")).requestAnswerCommand },
  { name: "request list", summary: "List requests of all channels, newest first", load: async () => (await import("../command/request.ts")).requestListCommand },
  { name: "request show", summary: "Show one request: its items, what was agreed to, how verification went", load: async () => (await import("../command/request.ts")).requestShowCommand },
  { name: "request submit", summary: "Enter a request for a subscriber: features, services, packages of the catalog", load: async () => (await import("../command/request.ts")).requestSubmitCommand },
  { name: "restore", summary: "Bring an empty database to the state of a backup", load: async () => (await import("../command/backup.ts")).restoreCommand },
  { name: "retention set", summary: "Say how long what grows is kept: the next version of the policy; what is older goes within minutes", load: async () => (await import("../command/retention.ts")).retentionSetCommand },
  { name: "retention show", summary: "Show how long what grows is kept, what goes or would go, and what each month takes", load: async () => (await import("../command/retention.ts")).retentionShowCommand },
  { name: "review answer", summary: "Look at who asks, or approve or refuse them", load: async () => (await import("../command/review.ts")).reviewAnswerCommand },
  { name: "review list", summary: "List requests that wait for a person to look at who asks", load: async () => (await import("../command/review.ts")).reviewListCommand },
  { name: "serve", summary: "Run the server on the real network that the configuration names, without simulators", load: async () => (await import("../command/serve.ts")).serveCommand },
  { name: "service", summary: "Run a provider's service server: SCIM 2.0 over mutual TLS", load: async () => (await import("../command/service.ts")).serviceCommand },
  { name: "settings find", summary: "Find the access points for a SIM, best first", load: async () => (await import("../command/settings.ts")).settingsFindCommand },
  { name: "sight", summary: "Report sightings from a file: SIM and handset seen together", load: async () => (await import("../command/sight.ts")).sightCommand },
  { name: "sim-lock arm", summary: "Arm SIMs: the first device that each is seen in becomes its own", load: async () => (await import("../command/sim-lock.ts")).simLockArmCommand },
  { name: "sim-lock keep", summary: "Unlock SIMs that were seen in a foreign device; the lock stays with their own", load: async () => (await import("../command/sim-lock.ts")).simLockKeepCommand },
  { name: "sim-lock list", summary: "List locks of SIMs and devices, newest first, masked", load: async () => (await import("../command/sim-lock.ts")).simLockListCommand },
  { name: "sim-lock lock", summary: "Lock SIMs to a device, a model or a list of the operator's own", load: async () => (await import("../command/sim-lock.ts")).simLockLockCommand },
  { name: "sim-lock move", summary: "Unlock SIMs that were seen in a foreign device; the lock goes to that one", load: async () => (await import("../command/sim-lock.ts")).simLockMoveCommand },
  { name: "sim-lock show", summary: "Show a SIM's lock, with the device that is expected and the one that came, and what happened to it", load: async () => (await import("../command/sim-lock.ts")).simLockShowCommand },
  { name: "sim-lock unlock", summary: "Take the lock from SIMs", load: async () => (await import("../command/sim-lock.ts")).simLockUnlockCommand },
  { name: "smsc", summary: "Run the simulated message centre alone: SMPP 3.4, accounts, phones, receipts", load: async () => (await import("../command/smsc.ts")).smscCommand },
  { name: "smsc check", summary: "Send a real text by the configured message centre and show what came back", load: async () => (await import("../command/smsc-check.ts")).smscCheckCommand },
  { name: "source conflicts", summary: "List SIMs that two sources see in two handsets at once, newest first", load: async () => (await import("../command/sources.ts")).sourceConflictsCommand },
  { name: "source list", summary: "List the sources of sightings: how much each tells, how late, and how it fares", load: async () => (await import("../command/sources.ts")).sourceListCommand },
  { name: "start", summary: "Run Turnup on this machine, with a simulated world around it, and show every phone", load: async () => (await import("../command/start.ts")).startCommand },
  { name: "statement", summary: "Show a manufacturer's account, or the operator's own, with opening and closing balances", load: async () => (await import("../command/statement.ts")).statementCommand },
  { name: "subscriber data", summary: "Print all that is known of one person as JSON, with numbers and names in clear", load: async () => (await import("../command/subscriber.ts")).subscriberDataCommand },
  { name: "subscriber erase", summary: "Erase one person's numbers, names, texts and handsets for good", load: async () => (await import("../command/subscriber.ts")).subscriberEraseCommand },
  { name: "terms list", summary: "List the terms in force", load: async () => (await import("../command/terms.ts")).termsListCommand },
  { name: "terms put", summary: "Write terms, or a next version of them, from a YAML file of texts by language", load: async () => (await import("../command/terms.ts")).termsPutCommand },
  { name: "terms show", summary: "Show terms in every language, and their versions with --json", load: async () => (await import("../command/terms.ts")).termsShowCommand },
  { name: "token add", summary: "Make a token for the API; it is shown once", load: async () => (await import("../command/token.ts")).tokenAddCommand },
  { name: "wireless-network add", summary: "Add Wi-Fi networks that go with settings, for all models or some", load: async () => (await import("../command/wireless-network.ts")).wirelessNetworkAddCommand },
  { name: "wireless-network list", summary: "List the operator's own Wi-Fi networks", load: async () => (await import("../command/wireless-network.ts")).wirelessNetworkListCommand },
  { name: "wireless-network remove", summary: "Retire a Wi-Fi network; phones that have it keep it", load: async () => (await import("../command/wireless-network.ts")).wirelessNetworkRemoveCommand },
  { name: "world", summary: "The simulated outside world of `turnup start` (its child process)", load: async () => (await import("../command/world.ts")).worldCommand },
];

const EXIT_INTERRUPTED = 130;

const stop = new AbortController();
let stays = false;

/** The reader of our output has gone (`| head`): a server stops in order, anything else has done its work. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (stays && error.code !== "EPIPE") return; // a full disk: what a server does matters more than what it says
  if (error.code !== "EPIPE") throw error;
  if (stays) stop.abort();
  else process.exit(0);
});

/** Nobody is there to be told. */
process.stderr.on("error", () => undefined);

function onSignal(): void {
  if (!stays || stop.signal.aborted) process.exit(EXIT_INTERRUPTED); // the second Ctrl-C does not wait
  stop.abort();
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);

const manifest = membersOf(JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")));
const exitCode = await runCli(COMMANDS, process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: () => new Date(),
  version: String(manifest.version),
  signal: stop.signal,
  onHangup: (listener) => process.on("SIGHUP", listener),
  onCommand: (command: Command) => {
    stays = command.stays ?? false;
  },
});
process.stdout.write("", () => process.exit(exitCode)); // whatever a command forgot to close does not hold us
