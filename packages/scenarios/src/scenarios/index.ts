import type { Scenario } from "../scenario.ts";
import { calls } from "./calls.ts";
import { crowd } from "./crowd.ts";
import { exits } from "./exits.ts";
import { launching } from "./launching.ts";
import { replacing } from "./replacing.ts";
import { startOrder } from "./start-order.ts";

/** All scenarios, in reading order. */
export const scenarios: readonly Scenario[] = [
  ...startOrder,
  ...launching,
  ...calls,
  ...exits,
  ...replacing,
  ...crowd,
];
