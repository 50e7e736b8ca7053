using System.Text;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>
/// A check of healthchecks.io, or of what speaks as it does. Nothing is sent but that, unless logs were asked for. Of a check at most five pings a minute count: what could be left out
/// is, and what ends a run waits.
/// </summary>
internal sealed class HealthchecksSink(SinkSettings settings, TimeProvider clock) : IAlarmSink
{
    private const int MostPings = 5;
    private const int LongestLog = 10_000;
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly Queue<DateTimeOffset> _pings = [];
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <summary>A run has started.</summary>
    public Task StartAsync(Guid run, CancellationToken cancellationToken) => PingAsync("/start", run, null, isNeeded: false, cancellationToken);

    /// <summary>A run has ended.</summary>
    public Task EndAsync(Guid run, bool isSuccess, string log, CancellationToken cancellationToken) => PingAsync(isSuccess ? "" : "/fail", run, log, isNeeded: true, cancellationToken);

    /// <summary>Something about the check that changes nothing of how it stands; nothing unless logs were asked for, or somebody tries whether it is there.</summary>
    public Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken)
    {
        bool isTrial = messages.Any(message => message.Kind == AlarmKind.Test);
        return settings.Logs || isTrial ? PingAsync("/log", null, MailSink.TextOf(messages), isTrial, cancellationToken) : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task LiveAsync(bool isWell, CancellationToken cancellationToken) => PingAsync(isWell ? "" : "/fail", null, null, isNeeded: true, cancellationToken);

    private async Task PingAsync(string what, Guid? run, string? log, bool isNeeded, CancellationToken cancellationToken)
    {
        if (!await EnterAsync(isNeeded, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var url = new UriBuilder(settings.Url!);
        url.Path = url.Path.TrimEnd('/') + what;
        if (run is { } id)
        {
            url.Query = $"rid={id:D}";
        }

        byte[] body = settings.Logs && log is not null ? Encoding.UTF8.GetBytes(log.Length > LongestLog ? log[..LongestLog] : log) : [];
        await WebSender.PostAsync(Name, url.Uri, body, "text/plain", cancellationToken).ConfigureAwait(false);
    }

    // False where a ping is one too many, and can be left out.
    private async Task<bool> EnterAsync(bool isNeeded, CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_gate)
            {
                DateTimeOffset now = clock.GetUtcNow();
                while (_pings.TryPeek(out DateTimeOffset first) && now - first >= _minute)
                {
                    _pings.Dequeue();
                }

                if (_pings.Count < MostPings)
                {
                    _pings.Enqueue(now);
                    return true;
                }

                wait = _minute - (now - _pings.Peek());
            }

            if (!isNeeded)
            {
                return false;
            }

            await Task.Delay(wait, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
