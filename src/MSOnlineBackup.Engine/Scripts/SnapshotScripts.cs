using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// The scripts of one backup, which bring programs into order for its snapshots: one before they are taken, and one after that, which is run whenever the first
/// was begun, whatever became of it and of the backup.
/// </summary>
internal sealed class SnapshotScripts : IDisposable
{
    // A recovery point's texts have a limit.
    private const int MaxReason = 1000;

    private readonly string _file;
    private readonly List<BackupException> _failures = [];
    private ScriptSettings? _settings;
    private ScriptKeeper? _keeper;
    private ScriptRunner? _runner;

    private SnapshotScripts(string file) => _file = file;

    /// <summary>Why what is read is not as programs wanted it; none where it is.</summary>
    public IReadOnlyList<BackupException> Failures => _failures;

    /// <summary>Whether file systems are held still where a snapshot needs that.</summary>
    public bool FreezesFileSystems => _settings is { FreezesFileSystems: true };

    /// <summary>Reads which scripts there are, and runs the first.</summary>
    /// <param name="file">Where that is said.</param>
    /// <param name="trust">What may be run.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="stop">Stops it; then the post-script was run.</param>
    /// <exception cref="BackupException">
    /// ScriptNotFound, ScriptUntrusted, ScriptFailed, ScriptTimedOut: there is to be no backup without them. Where even that is unknown there is one.
    /// </exception>
    public static async Task<SnapshotScripts> BeginAsync(string file, IFileTrust trust, TimeProvider clock, CancellationToken stop)
    {
        var scripts = new SnapshotScripts(file);
        try
        {
            await scripts.RunFirstAsync(trust, clock, stop).ConfigureAwait(false);
            scripts.ThrowIfBinding();
            return scripts;
        }
        catch
        {
            await scripts.EndAsync().ConfigureAwait(false);
            scripts.Dispose();
            throw;
        }
    }

    /// <summary>Looks whether scripts can be run as a file says.</summary>
    /// <exception cref="BackupException">ScriptSettingsInvalid, ScriptNotFound, ScriptUntrusted.</exception>
    public static void Check(string file, IFileTrust trust)
    {
        if (FindFaults(ScriptSettings.Read(file, trust), trust).FirstOrDefault() is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>Runs the second, where the first was begun and it was not run yet. Nothing stops it but its own time.</summary>
    public async Task EndAsync()
    {
        if (_keeper is not { } keeper)
        {
            return;
        }

        _keeper = null;
        using (keeper)
        {
            if (await _runner!.RunAsync(_settings!.After, _settings.Timeout, CancellationToken.None).ConfigureAwait(false) is { } failure)
            {
                _failures.Add(failure);
            }

            await keeper.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Throws where one failed and there is to be no backup then.</summary>
    /// <exception cref="BackupException">ScriptNotFound, ScriptUntrusted, ScriptFailed, ScriptTimedOut.</exception>
    public void ThrowIfBinding()
    {
        if (_failures.Count > 0 && _settings is { ContinuesOnFailure: false })
        {
            throw _failures[0];
        }
    }

    /// <summary>How far a source is of one moment, given what its snapshots promise by themselves.</summary>
    public SourceConsistency Judge(SourceConsistency snapshot) =>
        _failures.Count > 0 ? snapshot with { Reason = Join(_failures[0].Message, snapshot.Reason) }
        : snapshot is { Level: not ConsistencyLevel.None, Snapshot: not null }
            ? snapshot with { Level = ConsistencyLevel.Application, Reason = Join($"The scripts of '{_file}' were run around the snapshot.", snapshot.Reason) }
        : snapshot with { Reason = Join(snapshot.Reason, "Scripts were run, but no snapshot keeps what they brought into order.") };

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner?.Dispose();
        _keeper?.Dispose();
    }

    private async Task RunFirstAsync(IFileTrust trust, TimeProvider clock, CancellationToken stop)
    {
        try
        {
            _settings = ScriptSettings.Read(_file, trust);
        }
        catch (BackupException e)
        {
            _failures.Add(e);
            return;
        }

        // Both, before anything is run: what cannot be undone is not begun.
        _failures.AddRange(FindFaults(_settings, trust));
        if (_failures.Count == 0)
        {
            stop.ThrowIfCancellationRequested();
            ScriptKeeper keeper = ScriptKeeper.Begin(_settings);
            _keeper = keeper;
            _runner = new ScriptRunner(clock, keeper.Tell);
            if (await _runner.RunAsync(_settings.Before, _settings.Timeout, stop).ConfigureAwait(false) is { } failure)
            {
                _failures.Add(failure);
            }
        }
    }

    private static IEnumerable<BackupException> FindFaults(ScriptSettings settings, IFileTrust trust) =>
        new[] { settings.Before, settings.After }.Select(script => script.FindFault(trust)).OfType<BackupException>();

    private static string Join(string? first, string? second)
    {
        string text = $"{first} {second}".Trim();
        return text.Length <= MaxReason ? text : text[..(MaxReason - 1)] + "…";
    }
}
