using System.ComponentModel;
using System.Diagnostics;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>A program on this machine, without a shell: once for each message, which stands in its environment.</summary>
internal sealed class CommandSink(SinkSettings settings, TimeProvider clock) : IAlarmSink
{
    private const int LongestComplaint = 300;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <summary>The variables that a message stands in; docs/operations.md lists them.</summary>
    internal static IReadOnlyDictionary<string, string> VariablesOf(AlarmMessage message) => new Dictionary<string, string>
    {
        ["OB_ALARM_KIND"] = message.Kind.ToString(),
        ["OB_ALARM_STATE"] = message.State?.ToString() ?? "",
        ["OB_ALARM_ID"] = message.Id?.ToString() ?? "",
        ["OB_ALARM_VAULT"] = message.Vault,
        ["OB_ALARM_MACHINE"] = message.Machine ?? "",
        ["OB_ALARM_POLICY"] = message.Policy ?? "",
        ["OB_ALARM_SUBJECT"] = message.Subject,
        ["OB_ALARM_MESSAGE"] = message.Text,
        ["OB_ALARM_ADVICE"] = message.Advice,
        ["OB_ALARM_TIME"] = message.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    public async Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken)
    {
        foreach (AlarmMessage message in messages)
        {
            await RunAsync(message, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RunAsync(AlarmMessage message, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(settings.Path!, settings.Arguments ?? []) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in VariablesOf(message))
        {
            start.Environment[name] = value;
        }

        using var limit = new CancellationTokenSource(_patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            throw AlarmSinkErrors.NotDelivered(Name, $"'{settings.Path}' cannot be run ({e.Message.TrimEnd('.')})", e);
        }

        using (process)
        {
            try
            {
                process.StandardInput.Close();
                Task<string> output = process.StandardOutput.ReadToEndAsync(either.Token);
                string complaint = (await process.StandardError.ReadToEndAsync(either.Token).ConfigureAwait(false)).Trim();
                await output.ConfigureAwait(false);
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
                if (process.ExitCode != 0)
                {
                    throw AlarmSinkErrors.NotDelivered(
                        Name, $"'{settings.Path}' has ended with {process.ExitCode}{(complaint.Length == 0 ? "" : $": {(complaint.Length > LongestComplaint ? complaint[..LongestComplaint] : complaint)}")}");
                }
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                throw AlarmSinkErrors.NotDelivered(Name, $"'{settings.Path}' has not ended for {_patience.TotalSeconds:0} seconds, and was ended");
            }
        }
    }
}
