import { MAX_FILTER_NESTING } from '../../limits.ts';
import type { CompareOperator } from '../ast.ts';
import { resolveName, stepInto } from './columns.ts';
import { closeRange, combineNumbers, compareOperands, likePattern, listOf, membership, negateNumber } from './comparisons.ts';
import { type FilterContext, invalid, unsupported } from './context.ts';
import type { FoldOperator } from './fold.ts';
import { type Call, callFunction, exists, nullTest } from './functions.ts';
import { Lexer, type Token } from './lexer.ts';
import { joinOperands, negate } from './logic.ts';
import { parseInterval, parseMoment } from './moment.ts';
import { type Column, describeConstant, describeOperand, isNumeric, type Operand } from './operand.ts';
import { templateConstant } from './template.ts';

/**
 * A Pratt parser that types and folds as it goes: there is no syntax tree, so a chain of a million operators is as deep as one of two. Every
 * token is taken once. Left to right at equal strength; `not` binds tighter than comparisons, as in Milvus, but where its operand is no
 * predicate it takes the comparison behind it too: `not color == "green"`.
 */
const POWER: Readonly<Record<string, number>> = {
  ...{ or: 1, '||': 1, and: 2, '&&': 2, '|': 3, '^': 4, '&': 5, '==': 6, '!=': 6, '<': 7, '<=': 7, '>': 7, '>=': 7 },
  ...{ in: 9, not: 9, '<<': 10, '>>': 10, '+': 11, '-': 11, '*': 12, '/': 12, '%': 12, '**': 14, like: 15 },
};
const COMPARISON_POWER = 6;
const UNARY_POWER = 14;
const POSTFIX_POWER = 16;
const COMPARE: Readonly<Record<string, CompareOperator>> = { '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' };

export class Parser {
  readonly #context: FilterContext;
  readonly #lexer: Lexer;
  #token: Token;
  #ahead: Token | undefined;
  #tokens = 1;

  constructor(context: FilterContext, text: string) {
    this.#context = context;
    this.#lexer = new Lexer(context, text);
    this.#token = this.#lexer.next();
  }

  /** Characters and tokens taken: what the time is proportional to. */
  get steps(): number {
    return this.#lexer.taken + this.#tokens;
  }

  get isEmpty(): boolean {
    return this.#token.kind === 'end' && this.#tokens === 1;
  }

  parse(): Operand {
    const operand = this.#expression(0, 0);
    if (this.#token.kind !== 'end') throw this.#unexpected('operator or the end');
    return operand;
  }

  #expression(minPower: number, depth: number): Operand {
    return this.#infixes(this.#prefix(depth), minPower, depth);
  }

  #infixes(first: Operand, minPower: number, depth: number): Operand {
    let left = first;
    for (;;) {
      const operator = infixOf(this.#token);
      const power = operator === undefined ? -1 : POWER[operator]!;
      if (operator === undefined || power < minPower) return left;
      const { offset } = this.#token;
      if (operator === 'and' || operator === '&&') left = this.#run('and', left, power, depth);
      else if (operator === 'or' || operator === '||') left = this.#run('or', left, power, depth);
      else if (operator === 'not') {
        this.#next();
        this.#expectWord('in');
        left = membership(this.#context, left, this.#expression(power + 1, depth), true);
      } else {
        this.#next();
        left = this.#apply(operator, left, this.#expression(power + 1, depth), offset);
      }
    }
  }

  #run(type: 'and' | 'or', first: Operand, power: number, depth: number): Operand {
    const operands = [first];
    while (POWER[infixOf(this.#token) ?? ''] === power) {
      this.#next();
      operands.push(this.#expression(power + 1, depth));
    }
    return joinOperands(this.#context, type, operands);
  }

  #apply(operator: string, left: Operand, right: Operand, offset: number): Operand {
    const compare = Object.hasOwn(COMPARE, operator) ? COMPARE[operator]! : undefined;
    if (compare !== undefined) {
      const isChain = left.kind === 'predicate' && left.chain !== undefined && left.chain.operator[0] === compare[0];
      return isChain ? closeRange(this.#context, left, compare, right) : compareOperands(this.#context, compare, left, right);
    }
    if (operator === 'in') return membership(this.#context, left, right, false);
    if (operator === 'like') return likePattern(this.#context, left, right);
    if (POWER[operator]! >= POWER['+']!) return combineNumbers(this.#context, operator as FoldOperator, left, right);
    throw unsupported(this.#context, offset, `operator ${operator}`, 'there is no arithmetic on bits');
  }

  #prefix(depth: number): Operand {
    if (depth > MAX_FILTER_NESTING) throw invalid(this.#context, this.#token.offset, `at most ${MAX_FILTER_NESTING} levels`, 'more');
    const token = this.#next();
    const { offset } = token;
    switch (token.kind) {
      case 'integer':
        if (token.value === 2n ** 63n) throw invalid(this.#context, offset, '64-bit integer', `${token.value}`);
        return { kind: 'constant', offset, value: token.value, bare: true };
      case 'float':
      case 'string':
        return { kind: 'constant', offset, value: token.value, bare: true };
      case 'symbol':
        return this.#symbol(token.text, offset, depth + 1);
      case 'name':
        return this.#name(token.text, offset, depth + 1);
      case 'end':
        throw invalid(this.#context, offset, 'value', 'the end');
    }
  }

  #symbol(symbol: string, offset: number, depth: number): Operand {
    switch (symbol) {
      case '(':
        return this.#parentheses(offset, depth);
      case '[':
        return listOf(this.#context, offset, this.#operands(']', depth));
      case '{':
        return this.#template(offset);
      case '!':
        return this.#not(offset, depth);
      case '-':
        return this.#minus(offset, depth);
      case '+':
        return this.#plus(offset, depth);
      case '~':
        throw unsupported(this.#context, offset, 'operator ~', 'there is no arithmetic on bits');
      default:
        throw invalid(this.#context, offset, 'value', `'${symbol}'`);
    }
  }

  #parentheses(offset: number, depth: number): Operand {
    const inside = this.#expression(0, depth);
    this.#expectSymbol(')');
    if (inside.kind !== 'predicate') return { ...inside, offset };
    const { node, depth: levels } = inside;
    return { kind: 'predicate', offset, node, depth: levels };
  }

  #not(offset: number, depth: number): Operand {
    const operand = this.#expression(UNARY_POWER, depth);
    const isValue = operand.kind !== 'predicate' && !(operand.kind === 'constant' && typeof operand.value === 'boolean');
    return negate(this.#context, offset, isValue ? this.#infixes(operand, COMPARISON_POWER, depth) : operand);
  }

  /** The lowest int64 has no positive counterpart: its sign belongs to it. */
  #minus(offset: number, depth: number): Operand {
    if (this.#token.kind === 'integer' && this.#token.value === 2n ** 63n) {
      this.#next();
      return { kind: 'constant', offset, value: -(2n ** 63n), bare: true };
    }
    return negateNumber(this.#context, offset, this.#expression(UNARY_POWER, depth));
  }

  #plus(offset: number, depth: number): Operand {
    const operand = this.#expression(UNARY_POWER, depth);
    const isNumber =
      operand.kind === 'column'
        ? ['int', 'float', 'json'].includes(operand.class)
        : operand.kind === 'constant' && isNumeric(operand.value);
    if (!isNumber) throw invalid(this.#context, offset, 'number behind +', describeOperand(operand));
    return operand;
  }

  #name(name: string, offset: number, depth: number): Operand {
    if (isWord(name, 'not')) return this.#not(offset, depth);
    if (name === 'True' || isWord(name, 'true')) return { kind: 'constant', offset, value: true, bare: true };
    if (name === 'False' || isWord(name, 'false')) return { kind: 'constant', offset, value: false, bare: true };
    const next = this.#token;
    if (isWord(name, 'exists') && (next.kind === 'name' || (next.kind === 'symbol' && next.text === '(')))
      return exists(this.#context, offset, this.#expression(POSTFIX_POWER, depth));
    if (next.kind === 'string' && isWord(name, 'iso')) return this.#moment(offset, next.value);
    if (next.kind === 'string' && isWord(name, 'interval')) return this.#interval(offset, next.value);
    if (next.kind === 'symbol' && next.text === '(') return this.#call(name, offset, depth);
    return this.#path(resolveName(this.#context, name, offset));
  }

  #path(root: Column): Operand {
    let column = root;
    const steps: (string | number)[] = [];
    const { offset } = root;
    while (this.#takeSymbol('[')) {
      const token = this.#next();
      const step = token.kind === 'string' ? token.value : token.kind === 'integer' ? Number(token.value) : undefined;
      if (step === undefined) throw invalid(this.#context, token.offset, '"key" or index', describeToken(token));
      this.#expectSymbol(']');
      // One array for the whole path: copying it at every step would make long paths quadratic.
      column = steps.length === 0 ? stepInto(this.#context, column, step, token.offset) : this.#deeper(column, step, token.offset);
      steps.push(step);
    }
    if (steps.length > 1) column = { ...column, path: steps };
    if (!this.#takeWord('is')) return column;
    const negated = this.#takeWord('not');
    this.#expectWord('null');
    return { ...nullTest(this.#context, column, negated), offset };
  }

  #deeper(column: Column, step: string | number, offset: number): Column {
    stepInto(this.#context, column, step, offset);
    return column;
  }

  #moment(offset: number, text: string): Operand {
    this.#next();
    const ms = parseMoment(text);
    if (ms === undefined) throw invalid(this.#context, offset, 'ISO 8601 date and time', describeConstant(text));
    return { kind: 'constant', offset, value: { ms }, bare: true };
  }

  #interval(offset: number, text: string): Operand {
    this.#next();
    const intervalMs = parseInterval(text);
    if (intervalMs === 'calendar') throw unsupported(this.#context, offset, 'an interval of years or months', 'count days');
    if (intervalMs === undefined) throw invalid(this.#context, offset, 'ISO 8601 duration', describeConstant(text));
    return { kind: 'constant', offset, value: { intervalMs }, bare: true };
  }

  #template(offset: number): Operand {
    const name = this.#next();
    if (name.kind !== 'name') throw invalid(this.#context, name.offset, 'name of a template variable', describeToken(name));
    this.#expectSymbol('}');
    return templateConstant(this.#context, name.text, offset);
  }

  #call(name: string, offset: number, depth: number): Operand {
    this.#next();
    const isSpelt = name === name.toLowerCase() || name === name.toUpperCase();
    let call: Call = { name: isSpelt ? name.toLowerCase() : name, offset, operands: [] };
    const operands = this.#operands(')', depth, (minimum) => {
      call = { ...call, minimum };
    });
    return callFunction(this.#context, { ...call, operands });
  }

  /** Up to the closing bracket; a comma may stand before it. */
  #operands(closing: string, depth: number, onMinimum?: (minimum: bigint) => void): Operand[] {
    const operands: Operand[] = [];
    while (!this.#takeSymbol(closing)) {
      if (onMinimum !== undefined && operands.length > 0 && this.#takeMinimum()) onMinimum(this.#integer());
      else operands.push(this.#expression(0, depth));
      if (this.#takeSymbol(',')) continue;
      this.#expectSymbol(closing);
      break;
    }
    return operands;
  }

  #takeMinimum(): boolean {
    const isNamed = this.#token.kind === 'name' && isWord(this.#token.text, 'minimum_should_match');
    if (!isNamed || !this.#peeks('=')) return false;
    this.#next();
    this.#next();
    return true;
  }

  #integer(): bigint {
    const token = this.#next();
    if (token.kind !== 'integer') throw invalid(this.#context, token.offset, 'integer', describeToken(token));
    return token.value;
  }

  #next(): Token {
    const taken = this.#token;
    this.#token = this.#ahead ?? this.#lexer.next();
    this.#ahead = undefined;
    this.#tokens++;
    return taken;
  }

  #peeks(symbol: string): boolean {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead.kind === 'symbol' && this.#ahead.text === symbol;
  }

  #takeSymbol(symbol: string): boolean {
    const isThere = this.#token.kind === 'symbol' && this.#token.text === symbol;
    if (isThere) this.#next();
    return isThere;
  }

  #takeWord(word: string): boolean {
    const isThere = this.#token.kind === 'name' && isWord(this.#token.text, word);
    if (isThere) this.#next();
    return isThere;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(`'${symbol}'`);
  }

  #expectWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected(`'${word}'`);
  }

  #unexpected(expected: string): Error {
    return invalid(this.#context, this.#token.offset, expected, describeToken(this.#token));
  }
}

/** All lower or all upper case. */
function isWord(text: string, word: string): boolean {
  return text === word || text === word.toUpperCase();
}

function infixOf(token: Token): string | undefined {
  if (token.kind !== 'name' && token.kind !== 'symbol') return undefined;
  const text = token.kind === 'name' && token.text === token.text.toUpperCase() ? token.text.toLowerCase() : token.text;
  return Object.hasOwn(POWER, text) ? text : undefined;
}

function describeToken(token: Token): string {
  if (token.kind === 'end') return 'the end';
  return 'text' in token ? `'${token.text.slice(0, 40)}'` : describeConstant(token.value);
}
