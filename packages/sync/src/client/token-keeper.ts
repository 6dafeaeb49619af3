import { TOKEN_MARGIN_MS, TOKEN_RETRY_MS } from '../limits.ts';
import { type ClientContext, setDevice } from './context.ts';
import type { TokenReason } from './types.ts';

/** The token that connections are opened with, and the question for the next one: there is one at a time. */
export class TokenKeeper {
  #token: { readonly token: string; readonly subject: string; readonly expiresAtMs: number } | undefined;
  #askedAtMs: number | undefined;

  get token(): string | undefined {
    return this.#token?.token;
  }

  isUsable({ step }: ClientContext): boolean {
    return this.#token !== undefined && this.#token.expiresAtMs > step.now.monotonicMs;
  }

  /**
   * The token of an earlier term: another tab may have bound the database to another subject meanwhile, or the batch that bound it was refused.
   * Pushed under a token of somebody else, everything would be in the log under their name.
   */
  bind(cx: ClientContext): void {
    if (this.#token === undefined) return;
    if (cx.device.subject === '') setDevice(cx, { subject: this.#token.subject });
    else if (cx.device.subject !== this.#token.subject) this.#token = undefined;
  }

  ask(cx: ClientContext, reason: TokenReason): void {
    if (this.#askedAtMs !== undefined) return;
    this.#askedAtMs = cx.step.now.monotonicMs;
    cx.step.effect({ type: 'get-token', reason });
  }

  askLater(cx: ClientContext): void {
    cx.step.effect({ type: 'timer', timer: 'token', delayMs: TOKEN_RETRY_MS });
  }

  /** Whoever was asked has nothing, or will not be heard. */
  unanswered(): void {
    this.#askedAtMs = undefined;
  }

  /** False: it is somebody else's, and their writes belong into another database. */
  take(
    cx: ClientContext,
    { token, subject, expiresInMs }: { readonly token: string; readonly subject: string; readonly expiresInMs: number },
  ): boolean {
    this.#askedAtMs = undefined;
    if (cx.device.subject !== '' && cx.device.subject !== subject) return false;
    if (cx.device.subject === '') setDevice(cx, { subject });
    this.#token = { token, subject, expiresAtMs: cx.step.now.monotonicMs + expiresInMs };
    return true;
  }

  /** It was refused. */
  drop(): void {
    this.#token = undefined;
  }

  /** A question that nobody answers is asked again. */
  watchQuestion({ step }: ClientContext): void {
    if (this.#askedAtMs !== undefined && step.now.monotonicMs - this.#askedAtMs > TOKEN_RETRY_MS) this.#askedAtMs = undefined;
  }

  /** A token is renewed before it runs out. */
  watchExpiry(cx: ClientContext): void {
    if (this.#token !== undefined && this.#token.expiresAtMs - cx.step.now.monotonicMs < TOKEN_MARGIN_MS) this.ask(cx, 'expiring');
  }
}
