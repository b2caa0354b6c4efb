import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { codesWithoutRow, documentedCodes } from "../src/testing.ts";

const PROTO = `
// Opens and closes.
//
// Codes: UNKNOWN is no rpc's.
//
// Codes of an rpc with \`door\` or
// \`window\`: UNAVAILABLE if it is walled up; INTERNAL for dust.
service DoorService {
  // Opens a door; what a comment says before.
  //
  // Codes: NOT_FOUND without a
  // door; CANCELLED or ABORTED; or not; FAILED_PRECONDITION if it is open; see above.
  rpc Open(OpenRequest) returns (OpenResponse);

  // Codes: as for Open; OUT_OF_RANGE for a window.
  rpc Close(CloseRequest) returns (CloseResponse);
  // Looks.
  rpc Look(LookRequest) returns (LookResponse) {}
}

message OpenRequest {
  // The window = 1; is no field.
  string doors = 1;
}
message CloseRequest {
  string room = 1;
  string window = 2;
}
`;

test("what a contract says of its codes is read rpc by rpc, and what its service says of rpcs with a field", () => {
  expect(documentedCodes(PROTO).map(({ rpc, code, when }) => [rpc, code, when])).toEqual([
    ["Open", "NOT_FOUND", "without a door"],
    ["Open", "CANCELLED", "or ABORTED; or not"],
    ["Open", "FAILED_PRECONDITION", "if it is open; see above"],
    ["Close", "", "as for Open"],
    ["Close", "OUT_OF_RANGE", "for a window"],
    ["Close", "UNAVAILABLE", "if it is walled up"],
    ["Close", "INTERNAL", "for dust"],
    ["Look", "", "none of its own"],
  ]);
});

test("an rpc that is as for one that there is not has no row, and rpcs that are as for each other have their own", () => {
  const proto = (other: string): string => `
  // Codes: as for ${other}; ABORTED if it is late.
  rpc One(OneRequest) returns (OneResponse);
  // Codes: as for One; NOT_FOUND as for Three.
  rpc Two(TwoRequest) returns (TwoResponse);
`;
  const rows = [
    ["One", Code.Aborted],
    ["Two", Code.Aborted],
    ["Two", Code.NotFound],
  ] as const;
  expect(codesWithoutRow(proto("Tow"), rows)).toEqual(["One as for Tow", "Two as for Tow"]);
  expect(codesWithoutRow(proto("Two"), rows)).toEqual(["One NOT_FOUND"]);
});

test("a documented code that no row provokes is named, also one that is as for another rpc, or of every rpc with a field", () => {
  expect(
    codesWithoutRow(PROTO, [
      ["Open", Code.NotFound],
      ["Open", Code.Canceled],
      ["Close", Code.OutOfRange],
      ["Close", Code.FailedPrecondition],
      ["Close", Code.Internal],
      ["Look", Code.NotFound],
    ]),
  ).toEqual([
    "Open FAILED_PRECONDITION",
    "Close NOT_FOUND",
    "Close CANCELLED",
    "Close UNAVAILABLE",
  ]);
});
