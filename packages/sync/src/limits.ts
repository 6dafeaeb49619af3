/** Every bound of the protocol, with its reason. Times in milliseconds. */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Ops in one push: small enough that an answer comes soon, large enough that a round trip is shared. */
export const MAX_PUSH_OPS = 64;
/** Bytes of ops in one push: what one frame takes (design 5). */
export const MAX_PUSH_BYTES: number = 256 * 1024;
/** Pushed and not answered, per channel: a round trip is filled, and a bounce voids little. */
export const MAX_UNANSWERED_OPS = 256;
/** Bytes a server may send ahead of what a client has applied, per channel. */
export const CHANNEL_CREDIT_BYTES: number = 1024 * 1024;
/** R16: how long an acknowledged op is kept for a restored server. */
export const KEEP_ACKED_MS: number = 7 * DAY;
/** How often a connection that lasts drops what was kept too long. */
export const PRUNE_MS: number = 60 * MINUTE;
/** R15: how long an idle client's LMID is kept. */
export const EXPIRE_IDLE_MS: number = 90 * DAY;
/** R7: how old a tombstone is when it is collected. */
export const TOMBSTONE_HORIZON_MS: number = 30 * DAY;
/** Former ids asked about in one subscribe; older ones are queued again without asking, which is harmless. */
export const MAX_FORMERS = 8;
/** An unanswered subscribe or push is taken for lost. */
export const ANSWER_TIMEOUT_MS = 10_000;
export const WATCHDOG_MS = 5_000;
export const PING_MS = 15_000;
/** Without a byte for this long the socket is dead, whatever it says. */
export const SILENCE_MS = 35_000;
/** Reconnects: full jitter between these. */
export const RECONNECT_MIN_MS = 500;
export const RECONNECT_MAX_MS: number = MINUTE;
/** A connection that lived this long starts the back-off anew. */
export const STABLE_MS: number = MINUTE;
/** A token is renewed this long before it expires. */
export const TOKEN_MARGIN_MS = 30_000;
/** After a token was refused. */
export const TOKEN_RETRY_MS = 30_000;
/** Between two tries to download a bootstrap. */
export const FETCH_RETRY_MS = 2_000;
/** Pushes and writes that may wait for the next append; more is answered `busy`. */
export const MAX_WAITING = 1_024;
/** Begins the client id of what a server writes itself. Above every character of a device's id, so that it wins ties. */
export const SERVER_ID_PREFIX = '~';
/**
 * Begins the origin of an op that carries the stamp of what it was resolved from (a delete by filter): it wins over everything with that stamp,
 * a server's own writes included, and loses to everything above it.
 */
export const RESOLVED_ID_PREFIX = '~~';
/** An append whose outcome is unknown is repeated after this. */
export const APPEND_RETRY_MS = 200;
export const TICK_MS = 1_000;
/** Unsealed bytes of a channel above which writes are answered `busy`: a new leader must be able to fold its tail soon (design 5). */
export const MAX_TAIL_BYTES: number = 256 * 1024 * 1024;
export const BUSY_RETRY_MS = 1_000;
/** Presence: what one device says in a second; whoever moves a cursor faster shows where it stops. */
export const PRESENCE_PER_SECOND = 10;
/** Who has not said anything for this long is not there any more. */
export const PRESENCE_TTL_MS = 30_000;
/** A name, a colour, a selection. */
export const MAX_PRESENCE_BYTES: number = 2 * 1024;
/** A key and a field. */
export const MAX_PRESENCE_TOPIC_BYTES: number = 1024;
/** Hints: what one device types in a second, in all it has open; what is more is told by the log alone. */
export const HINTS_PER_SECOND = 100;
/** Some words; a pasted page is told by the log. */
export const MAX_HINT_BYTES: number = 4 * 1024;
/** Documents that one connection hears of, over all tabs of its device. */
export const MAX_HINT_TOPICS = 64;
