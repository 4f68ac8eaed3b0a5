import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  ResourceInvokeRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import { ResourceMonitorFeature } from "@pulumi/pulumi/proto/resource_pb";

import type { Deployment } from "./deployment";
import type { Journal } from "./journal";
import { runLocally } from "./providers/localCommand";
import { readProperties, readRegistration } from "./registration";
import { asText, plainProperties, type Properties } from "./wire";

type Callback = (error: Error | null, response?: unknown) => void;

/** What the SDK reads from the answer to a registration. */
function registered(urn: string, id: string, outputs: Properties): unknown {
  return {
    getUrn: () => urn,
    getId: () => id,
    getObject: () => ({ toJavaScript: () => outputs }),
    getPropertydependenciesMap: () => undefined,
    getResult: () => 0,
    getUnknown: () => false,
  };
}

/**
 * The engine as the SDK sees it: what it would reach over the wire, in this process. It sits where
 * the SDK's own mocks sit, but gets the full messages, not what mocks are shown of them.
 */
export class Monitor {
  constructor(
    private readonly deployment: Deployment,
    private readonly journal: Journal,
  ) {}

  registerResource(request: RegisterResourceRequest, callback: Callback): void {
    void this.deployment
      .register(readRegistration(request))
      .then(({ urn, id, outputs }) => callback(null, registered(urn, id ?? "", outputs)));
  }

  registerResourceOutputs(request: RegisterResourceOutputsRequest, callback: Callback): void {
    const outputs = readProperties(request.getOutputs());
    this.deployment.registerOutputs(request.getUrn(), outputs);
    callback(null, {});
  }

  readResource(_: unknown, callback: Callback): void {
    callback(new Error("the in-process engine does not know how to read existing resources"));
  }

  registerPackage(_: unknown, callback: Callback): void {
    callback(null, { getRef: () => "in-process" });
  }

  getDeploymentInfo(_: unknown, callback: Callback): void {
    const features = [
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
      ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    ];
    callback(null, { getSupportedfeaturesList: () => features });
  }

  supportsFeature(_: unknown, callback: Callback): void {
    callback(null, { getHassupport: () => true });
  }

  invoke(request: ResourceInvokeRequest, callback: Callback): void {
    const token = request.getTok();
    if (token !== "command:local:run") {
      callback(new Error(`the in-process engine does not know the function ${token}`));
      return;
    }
    const inputs = plainProperties(readProperties(request.getArgs()));
    const context = {
      name: token,
      log: (line: string) => this.journal.line(`  ${token}: ${line}`),
    };
    runLocally(asText(inputs["command"]), inputs, { stdout: "", stderr: "" }, context).then(
      (printed) =>
        callback(null, {
          getFailuresList: () => [],
          getReturn: () => ({ toJavaScript: () => ({ ...inputs, ...printed }) }),
        }),
      (error: Error) => callback(error),
    );
  }

  close(): void {
    // Nothing is open: the SDK closes what it takes for a connection.
  }
}
