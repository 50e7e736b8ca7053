using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Tells whoever watches the vault how a backup by no policy ended. A failure to tell is noted, and costs half a minute at most.</summary>
internal sealed class BackupStatus(CommandContext context, UnlockedVault vault, string machineName)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly DateTimeOffset _started = context.Environment.Time.GetUtcNow();

    /// <summary>Of one that made its point.</summary>
    public Task TellAsync(BackupResult result) => WriteAsync(Describe(
        result.LostSources.Count > 0 || result.Point.SkippedCount > 0 ? RunOutcome.CompletedWithWarnings : RunOutcome.Completed) with
    {
        Point = result.Point.SessionId,
        Errors = [.. result.LostSources.Select(source => source.Failure.Id.ToString()).Distinct()],
        Files = result.Point.Sources.Sum(source => source.Manifest.Files),
        Bytes = result.Point.Sources.Sum(source => source.Manifest.Bytes),
        Skipped = result.Point.SkippedCount,
    });

    /// <summary>Of one that made none.</summary>
    public Task TellAsync(Exception failure) => WriteAsync(failure is BackupException known
        ? Describe(RunOutcome.Failed) with { Errors = [known.Id.ToString()] }
        : Describe(RunOutcome.Aborted));

    private RunStatus Describe(RunOutcome outcome) => new()
    {
        Machine = machineName,
        Policy = RunStatus.NoPolicy,
        Outcome = outcome,
        Started = _started,
        Ended = context.Environment.Time.GetUtcNow(),
        AgentVersion = "",
    };

    private async Task WriteAsync(RunStatus status)
    {
        using var limit = new CancellationTokenSource(_patience, context.Environment.Time);
        try
        {
            await vault.WriteStatusAsync(status, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException || limit.IsCancellationRequested)
        {
            string why = e is BackupException known ? known.Message : $"The vault has not answered for {_patience.TotalSeconds:0} seconds.";
            context.Renderer.Note($"Whoever watches the vault could not be told of this backup: {why} ({nameof(BackupErrorId.StatusNotWritten)})");
        }
    }
}
