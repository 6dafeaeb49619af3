export { type Grants, type SessionEffect, type SessionEvent, SessionMachine, type SessionOptions } from './access/session-machine.ts';
export { ClientMachine } from './client/client-machine.ts';
export type {
  ChannelRecord,
  DeviceRecord,
  DurableChannel,
  DurableState,
  KeptEntry,
  OutboxEntry,
  RejectedEntry,
} from './client/durable.ts';
export type { Link, LinkInput, Role, RoleInput } from './client/transitions.ts';
export type { ClientEffect, ClientEvent, ClientOptions, Now, Snapshot, StoreWrite, TokenReason, WriteIntent } from './client/types.ts';
export { LeaderMachine } from './leader/leader-machine.ts';
export type {
  AppendOutcome,
  ChannelFold,
  LeaderEffect,
  LeaderEvent,
  LeaderOptions,
  Lmid,
  LogEntryFrame,
  Principal,
  SlotFolds,
} from './leader/types.ts';
export { serverClientId } from './leader/types.ts';
export {
  EXPIRE_IDLE_MS,
  HINTS_PER_SECOND,
  KEEP_ACKED_MS,
  MAX_HINT_BYTES,
  MAX_HINT_TOPICS,
  MAX_PRESENCE_BYTES,
  MAX_PRESENCE_TOPIC_BYTES,
  PRESENCE_PER_SECOND,
  PRESENCE_TTL_MS,
  TOMBSTONE_HORIZON_MS,
} from './limits.ts';
export {
  type BootstrapReference,
  type Downloadable,
  decodeBootstrapReference,
  encodeBootstrapReference,
} from './protocol/bootstrap-reference.ts';
export { decodeJsonValue, encodeJsonValue } from './protocol/json-value.ts';
export { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from './protocol/message-codec.ts';
export type {
  GlobalAggregateAnswer,
  GlobalCountAnswer,
  GlobalGetAnswer,
  GlobalQueryAnswer,
  GlobalReadInfo,
  GlobalSearchAnswer,
  WaitRequest,
} from './protocol/reads.ts';
export type { ErrorAnswer, ResolveAnswer, ResolvedChannel, ResolveRequest } from './protocol/resolve.ts';
export {
  type Altered,
  type ChannelAnswer,
  type ChannelRequest,
  type ClientMessage,
  type Hint,
  type Hinted,
  type KnownClient,
  type ManifestOffer,
  type Message,
  negotiate,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Presence,
  type Present,
  type Rejection,
  type ServerMessage,
} from './protocol.ts';
