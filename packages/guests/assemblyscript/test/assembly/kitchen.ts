// A guest that serves: everything of KitchenService that the tests look at.
import {
  args,
  Code,
  exit,
  fail,
  Incoming,
  launch,
  newStatus,
  ok,
  pack,
  Result,
} from "@dropthrough/assemblyscript/assembly";
import { Duration, RetryInfo } from "@dropthrough/assemblyscript/assembly";
import {
  Dish,
  KitchenServiceServer,
  StockRequest,
  StockResponse,
  StoreServiceClient,
} from "./gen/kitchen/v1/kitchen";

class Kitchen extends KitchenServiceServer {
  private readonly store: StoreServiceClient = new StoreServiceClient();

  cook(request: Dish): Result<Dish> {
    return ok(request);
  }

  carry(request: Dish): Result<Dish> {
    return ok(request);
  }

  answerCarry(call: Incoming): void {
    call.answerBytes(ok(call.bytes()));
  }

  restock(request: StockRequest): Result<StockResponse> {
    const first = this.store.get(request, request.timeoutMs);
    if (!first.ok) return first;
    const again = new StockRequest();
    again.key = first.value.value;
    const second = this.store.get(again);
    if (!second.ok) return second;
    const answer = new StockResponse();
    answer.value = request.key + " " + first.value.value + " " + second.value.value;
    answer.blob = first.value.blob;
    return ok(answer);
  }

  burn(request: StockRequest): Result<StockResponse> {
    const retry = new RetryInfo();
    const delay = new Duration();
    delay.seconds = 3;
    retry.retryDelay = delay;
    return fail<StockResponse>(Code.UNAVAILABLE, "burnt: " + request.key, [pack(retry)]);
  }

  drop(request: StockRequest): Result<StockResponse> {
    throw new Error("dropped: " + request.key);
  }
}

export function main(): void {
  launch("kitchen").export(new Kitchen()).require("kitchen.v1.StoreService").runOrExit();
}
