// The guest that the conformance runner talks to, by test/conformance/testee.ts: binary in, binary out.
import {
  decode,
  Incoming,
  launch,
  Message,
  ok,
  Service,
} from "@dropthrough/assemblyscript/assembly";
import {
  ConformanceRequest,
  ConformanceRequest_PayloadCase,
  ConformanceResponse,
  WireFormat,
} from "../build/conformance/gen/conformance/conformance";
import { TestAllTypesEdition2023 } from "../build/conformance/gen/google/protobuf/test_messages_edition2023";
import { TestAllTypesProto2 } from "../build/conformance/gen/google/protobuf/test_messages_proto2";
import { TestAllTypesProto2 as EditionsProto2 } from "../build/conformance/gen/google/protobuf/test_messages_proto2_editions";
import { TestAllTypesProto3 } from "../build/conformance/gen/google/protobuf/test_messages_proto3";
import { TestAllTypesProto3 as EditionsProto3 } from "../build/conformance/gen/google/protobuf/test_messages_proto3_editions";

class Testee extends Service {
  serviceName(): string {
    return "conformance.TesteeService";
  }

  methodNames(): string[] {
    return ["Run"];
  }

  answerCall(index: i32, call: Incoming): void {
    const request = call.decode<ConformanceRequest>();
    if (request !== null) call.answer<ConformanceResponse>(ok(run(request)));
  }
}

function run(request: ConformanceRequest): ConformanceResponse {
  const response = new ConformanceResponse();
  if (
    request.payloadCase != ConformanceRequest_PayloadCase.PROTOBUF_PAYLOAD ||
    request.requestedOutputFormat != WireFormat.PROTOBUF
  ) {
    response.skipped = "binary only";
    return response;
  }
  const bytes = request.protobufPayload;
  if (request.messageType == "protobuf_test_messages.proto3.TestAllTypesProto3") {
    roundTrip<TestAllTypesProto3>(bytes, response);
  } else if (request.messageType == "protobuf_test_messages.proto2.TestAllTypesProto2") {
    roundTrip<TestAllTypesProto2>(bytes, response);
  } else if (request.messageType == "protobuf_test_messages.editions.proto2.TestAllTypesProto2") {
    roundTrip<EditionsProto2>(bytes, response);
  } else if (request.messageType == "protobuf_test_messages.editions.proto3.TestAllTypesProto3") {
    roundTrip<EditionsProto3>(bytes, response);
  } else if (request.messageType == "protobuf_test_messages.editions.TestAllTypesEdition2023") {
    roundTrip<TestAllTypesEdition2023>(bytes, response);
  } else {
    response.runtimeError = "no such message: " + request.messageType;
  }
  return response;
}

function roundTrip<T extends Message>(bytes: Uint8Array, response: ConformanceResponse): void {
  const message = decode<T>(bytes);
  if (message === null) response.parseError = "malformed";
  else response.protobufPayload = message.encode();
}

export function main(): void {
  launch("testee").export(new Testee()).runOrExit();
}
