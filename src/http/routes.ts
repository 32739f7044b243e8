/** The one list of routes. A route that is not here does not exist; one that is here is mounted, described and tested. */

import { manageDevice } from "./dm/token.ts";
import { healthz } from "./healthz.ts";
import type { Measures } from "./measures.ts";
import { metrics } from "./metrics.ts";
import { openapiJson } from "./openapi.json.ts";
import { readyz } from "./readyz.ts";
import type { ListedRoute, Route } from "./route.ts";
import { settingsProfile, settingsRemoval } from "./s/token/profile.ts";
import { settingsCover, settingsPage } from "./s/token.ts";
import { confirmAccessPoints } from "./v1/access-points/confirmations.ts";
import { accessPointFile } from "./v1/access-points/file.ts";
import { suggestAccessPoints } from "./v1/access-points/suggestions.ts";
import { testAccessPoints } from "./v1/access-points/test.ts";
import { addAccessPoint, listAccessPoints, retireAccessPoint, showAccessPoint } from "./v1/access-points.ts";
import { decideApproval, getApproval, listApprovals } from "./v1/approvals.ts";
import { reportArrivals } from "./v1/arrivals.ts";
import { listAudit } from "./v1/audit.ts";
import { listBalances } from "./v1/balances.ts";
import { importBankFile, listBankEntries } from "./v1/bank-files.ts";
import {
  lookUpSubscriber,
  resendLink,
  resendLinkById,
  showStanding,
  showStandingById,
} from "./v1/care/subscribers.ts";
import { getContent, putContent } from "./v1/catalog/content.ts";
import { exportCatalog, importCatalog } from "./v1/catalog/file.ts";
import { getCatalogItem, listCatalog, putCatalogItem, retireCatalogItem } from "./v1/catalog/items.ts";
import { listCharges } from "./v1/charges.ts";
import { listCollectionReturns, settleCollectionReturn } from "./v1/collection-returns.ts";
import { bookCollection, listCollections, listOwed } from "./v1/collections.ts";
import { reportConfirmations } from "./v1/confirmations.ts";
import { getPayer, listCreditors, putCreditor, putPayer, removeCreditor } from "./v1/creditors.ts";
import { changeSessions } from "./v1/data-sessions/change.ts";
import { disconnectSessions } from "./v1/data-sessions/disconnect.ts";
import { listDataSessions } from "./v1/data-sessions.ts";
import { listDatasets } from "./v1/datasets.ts";
import { endImeiDoubt, listImeiDoubts } from "./v1/devices/doubts.ts";
import { reportSaid } from "./v1/devices/said.ts";
import { listSpecialImeis } from "./v1/devices/special.ts";
import { listUnknownDevices, proposeModels } from "./v1/devices/unknown.ts";
import { showDevice } from "./v1/devices.ts";
import { decideDispute, listDisputes, openDispute } from "./v1/disputes.ts";
import { issueEnrolment } from "./v1/enrolments.ts";
import { checkEquipment } from "./v1/equipment-checks.ts";
import {
  changeEquipmentEntries,
  exportEquipmentEntries,
  importEquipmentEntries,
} from "./v1/equipment-lists/entries.ts";
import { listEquipmentVersions, restoreEquipmentList } from "./v1/equipment-lists/versions.ts";
import {
  addEquipmentList,
  alterEquipmentList,
  listEquipmentLists,
  removeEquipmentList,
} from "./v1/equipment-lists.ts";
import { getEquipmentSwitch, putEquipmentSwitch } from "./v1/equipment-switch.ts";
import { streamEvents } from "./v1/events/stream.ts";
import { listEventTypes } from "./v1/events/types.ts";
import { readEvents } from "./v1/events.ts";
import { importData, restoreDataset } from "./v1/imports.ts";
import { showIssuer } from "./v1/issuer.ts";
import { cancelJob, getJob, getJobRowsCsv, listJobRows, listJobs } from "./v1/jobs.ts";
import { importKeyBatch, listKeyBatches, withdrawKeyBatch } from "./v1/key-batches.ts";
import { getMakerStatement, listMakerDisputes, openMakerDispute } from "./v1/maker/statement.ts";
import { decodeMessage } from "./v1/messages/decode.ts";
import { listMessages, sendMessages } from "./v1/messages.ts";
import { putModels } from "./v1/models.ts";
import { listOffers, sendOffers } from "./v1/offers.ts";
import { cancelOrder } from "./v1/orders/cancel.ts";
import { resendOrder } from "./v1/orders/resend.ts";
import { getOrder, listOrders, openOrder } from "./v1/orders.ts";
import { listOverrides, putOverride, removeOverride } from "./v1/overrides.ts";
import {
  enterForPartner,
  getPartnerRequest,
  givePartnerDetails,
  listPartnerRequests,
  supplyPartnerFields,
} from "./v1/partner/requests.ts";
import {
  cancelTransfer,
  getPaymentBatch,
  getPaymentFile,
  getRemittanceAdvice,
  listPayables,
  listPaymentBatches,
  listWaitingTransfers,
  makePaymentBatch,
  releasePaymentBatch,
} from "./v1/payment-batches.ts";
import { comparePolicy } from "./v1/policy/comparisons.ts";
import { replayPolicy } from "./v1/policy/replays.ts";
import {
  diffPolicy,
  getPolicyVersion,
  listPolicyVersions,
  rollBackPolicy,
  tryPolicy,
} from "./v1/policy/versions.ts";
import { getPolicy, patchPolicy, putPolicy } from "./v1/policy.ts";
import { listPostings } from "./v1/postings.ts";
import {
  closeProxyAccount,
  getProxyAccount,
  listProxies,
  listProxyAccounts,
  putProxyAccount,
} from "./v1/proxy-accounts.ts";
import { getRelation, listRelations, putRelation, removeRelation } from "./v1/relations.ts";
import { reportOverview } from "./v1/reports/overview.ts";
import { reportRestored } from "./v1/reports/restored.ts";
import { reportRetainedCounts } from "./v1/reports/retained-counts.ts";
import {
  answerRequestTerms,
  chooseForRequest,
  giveRequestDetails,
  supplyRequestFields,
} from "./v1/requests/answers.ts";
import { enterForSubscriber, getRequest, listRequests } from "./v1/requests.ts";
import { getRetention } from "./v1/retention.ts";
import { answerReview, getReview, listReviews } from "./v1/reviews.ts";
import {
  currentSession,
  endCurrentSession,
  endSession,
  listSessions,
  openSession,
  openSessionByLink,
} from "./v1/sessions.ts";
import { findSettings } from "./v1/settings/find.ts";
import { listSightingConflicts } from "./v1/sightings/conflicts.ts";
import { reportSightings } from "./v1/sightings.ts";
import { askSimLocks, getSimLock, listSimLocks } from "./v1/sim-locks.ts";
import { listSources } from "./v1/sources.ts";
import { getStatement } from "./v1/statements.ts";
import {
  eraseSubscriberRecord,
  getSubscriberRecord,
  listSubscriberRecords,
  putAllSubscriberRecords,
  putSubscriberRecord,
  putSubscriberRecords,
} from "./v1/subscriber-records.ts";
import { putBillingAccount } from "./v1/subscribers/billing-account.ts";
import { getSubscriberData } from "./v1/subscribers/data.ts";
import { eraseSubscriber } from "./v1/subscribers/erase.ts";
import { listServices } from "./v1/subscribers/services.ts";
import { deleteTelephonePin, putTelephonePin } from "./v1/subscribers/telephone-pin.ts";
import { reportSymptoms } from "./v1/symptoms.ts";
import { getTerms, listTerms, putTerms } from "./v1/terms/terms.ts";
import { createToken, listTokens, revokeToken } from "./v1/tokens.ts";
import { addWirelessNetwork, listWirelessNetworks, retireWirelessNetwork } from "./v1/wireless-networks.ts";
import { voiceEntry, voiceScreens } from "./voice/screen.ts";

/** What the few routes need that look at the server itself. */
type ServerViews = { readonly measures: Measures; readonly description: () => unknown };

/** Each under its name in the list, which is its operation id. */
export const routesOf = ({ measures, description }: ServerViews): readonly ListedRoute[] =>
  Object.entries({
    healthz,
    readyz: readyz(),
    metrics: metrics(measures),
    openapiJson: openapiJson(description),
    reportSightings: reportSightings(measures),
    ...ROUTES,
  }).map(([operationId, route]) => ({ ...route, operationId }));

/** Those that need no look at the server. */
const ROUTES: Readonly<Record<string, Route>> = {
  settingsCover,
  settingsPage,
  settingsProfile,
  settingsRemoval,
  manageDevice,
  listUnknownDevices,
  proposeModels,
  listSpecialImeis,
  listSources,
  listSightingConflicts,
  listImeiDoubts,
  endImeiDoubt,
  reportSaid,
  showDevice,
  listOrders,
  openOrder,
  getOrder,
  resendOrder,
  cancelOrder,
  listMessages,
  sendMessages,
  decodeMessage,
  listCharges,
  listPostings,
  listBalances,
  listCreditors,
  putCreditor,
  removeCreditor,
  getPayer,
  putPayer,
  listPayables,
  makePaymentBatch,
  listPaymentBatches,
  getPaymentBatch,
  getPaymentFile,
  releasePaymentBatch,
  listWaitingTransfers,
  getRemittanceAdvice,
  cancelTransfer,
  importBankFile,
  listBankEntries,
  getStatement,
  listCollections,
  listOwed,
  listCollectionReturns,
  settleCollectionReturn,
  bookCollection,
  openDispute,
  listDisputes,
  decideDispute,
  getMakerStatement,
  openMakerDispute,
  listMakerDisputes,
  reportOverview,
  reportRestored,
  reportRetainedCounts,
  reportConfirmations,
  reportSymptoms,
  listDataSessions,
  disconnectSessions,
  changeSessions,
  reportArrivals,
  getPolicy,
  getRetention,
  replayPolicy,
  comparePolicy,
  listPolicyVersions,
  getPolicyVersion,
  diffPolicy,
  putPolicy,
  patchPolicy,
  tryPolicy,
  rollBackPolicy,
  importKeyBatch,
  listKeyBatches,
  withdrawKeyBatch,
  listRelations,
  getRelation,
  putRelation,
  removeRelation,
  listAccessPoints,
  suggestAccessPoints,
  confirmAccessPoints,
  testAccessPoints,
  accessPointFile,
  addAccessPoint,
  showAccessPoint,
  retireAccessPoint,
  listOverrides,
  putOverride,
  removeOverride,
  listDatasets,
  putModels,
  listWirelessNetworks,
  addWirelessNetwork,
  retireWirelessNetwork,
  showIssuer,
  findSettings,
  listCatalog,
  exportCatalog,
  importCatalog,
  getCatalogItem,
  putCatalogItem,
  retireCatalogItem,
  getContent,
  putContent,
  listTerms,
  getTerms,
  putTerms,
  enterForSubscriber,
  listRequests,
  getRequest,
  listReviews,
  getReview,
  answerReview,
  answerRequestTerms,
  supplyRequestFields,
  giveRequestDetails,
  chooseForRequest,
  listServices,
  putBillingAccount,
  putTelephonePin,
  getSubscriberData,
  eraseSubscriber,
  deleteTelephonePin,
  listSubscriberRecords,
  putSubscriberRecords,
  putAllSubscriberRecords,
  getSubscriberRecord,
  putSubscriberRecord,
  eraseSubscriberRecord,
  listProxies,
  listProxyAccounts,
  putProxyAccount,
  getProxyAccount,
  closeProxyAccount,
  enterForPartner,
  listPartnerRequests,
  getPartnerRequest,
  supplyPartnerFields,
  givePartnerDetails,
  sendOffers,
  issueEnrolment,
  listOffers,
  lookUpSubscriber,
  showStanding,
  showStandingById,
  resendLink,
  resendLinkById,
  voiceEntry,
  ...voiceScreens(),
  listTokens,
  createToken,
  revokeToken,
  openSession,
  openSessionByLink,
  currentSession,
  endCurrentSession,
  listSessions,
  endSession,
  listAudit,
  listEquipmentLists,
  addEquipmentList,
  alterEquipmentList,
  removeEquipmentList,
  changeEquipmentEntries,
  exportEquipmentEntries,
  importEquipmentEntries,
  listEquipmentVersions,
  restoreEquipmentList,
  checkEquipment,
  getEquipmentSwitch,
  putEquipmentSwitch,
  listSimLocks,
  askSimLocks,
  getSimLock,
  importData,
  restoreDataset,
  readEvents,
  streamEvents,
  listEventTypes,
  listJobs,
  getJob,
  listJobRows,
  getJobRowsCsv,
  cancelJob,
  listApprovals,
  getApproval,
  decideApproval,
};
