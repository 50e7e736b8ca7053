using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Telemetry;
using MSOnlineBackup.Vaults.Versioning;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace MSOnlineBackup.Composition;

/// <summary>
/// Sends the engine's spans and figures to a collector of OpenTelemetry, where the environment names one as its specification has it
/// (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, and all that goes with it). Nothing of OpenTelemetry is loaded otherwise.
/// </summary>
public static class TelemetryExport
{
    private const int PatienceMilliseconds = 5000;
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    private const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    /// <summary>Begins to send.</summary>
    /// <param name="variable">Reads an environment variable; null where it is not set.</param>
    /// <returns>What ends it, and waits up to some seconds for what was not sent yet; null where nothing is to be sent. What a collector does not take is lost,
    /// and no job is the worse for it.</returns>
    public static IDisposable? Start(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        bool isDisabled = string.Equals(variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);
        bool all = !string.IsNullOrEmpty(variable(Endpoint));
        bool traces = (all || !string.IsNullOrEmpty(variable(TracesEndpoint))) && variable("OTEL_TRACES_EXPORTER") != "none";
        bool metrics = (all || !string.IsNullOrEmpty(variable(MetricsEndpoint))) && variable("OTEL_METRICS_EXPORTER") != "none";
        return isDisabled || !(traces || metrics) ? null : StartSdk(traces, metrics);
    }

    // Apart, so that its types are loaded with it only.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Sending StartSdk(bool traces, bool metrics)
    {
        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddService("msonlinebackup", serviceVersion: Product.Version, autoGenerateServiceInstanceId: false)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
        return new Sending(
            traces ? Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(EngineTelemetry.Name).AddOtlpExporter(Shorten).Build() : null,
            metrics ? Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(EngineTelemetry.Name).AddOtlpExporter(Shorten).Build() : null);
    }

    // Whoever waits for a command does not wait long for a collector that is not there.
    private static void Shorten(OtlpExporterOptions options) => options.TimeoutMilliseconds = Math.Min(options.TimeoutMilliseconds, PatienceMilliseconds);

    private sealed class Sending(TracerProvider? traces, MeterProvider? metrics) : IDisposable
    {
        public void Dispose()
        {
            traces?.Shutdown(PatienceMilliseconds);
            traces?.Dispose();
            metrics?.Shutdown(PatienceMilliseconds);
            metrics?.Dispose();
        }
    }
}
