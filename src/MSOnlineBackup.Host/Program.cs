using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Terminal;

namespace MSOnlineBackup.Host;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        DebuggingSockets.Remove();
        if (!OpenFileLimit.IsEnough())
        {
            return (int)ExitCode.Failed;
        }

        using IDisposable? telemetry = TelemetryExport.Start(Environment.GetEnvironmentVariable);
        StopSignals? signals = null;
        try
        {
            return await new Application(HostEnvironment.OfProcess(), () => (signals = new StopSignals()).Token)
                .RunAsync(RawArguments.Restore(args)).ConfigureAwait(false);
        }
        finally
        {
            signals?.Dispose();
        }
    }
}
