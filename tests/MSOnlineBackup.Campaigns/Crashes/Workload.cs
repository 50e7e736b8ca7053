using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>Two machines with small real trees, and what the campaigns do with them over any store.</summary>
internal sealed class Workload : IDisposable
{
    public const string Passphrase = "correct horse battery staple";

    private readonly TempFolder _folder = new();
    private readonly Dictionary<SessionId, (string Source, string Copy)> _states = [];
    private int _copies;

    public Workload()
    {
        A = _folder["a"];
        B = _folder["b"];

        // A file of several chunks, so that there is something to check-point inside a file; twins across the machines.
        new SourceTreeBuilder(A).Populate(seed: 1, items: 25, largestFile: 300_000).File("large", 32 << 20, seed: 3).File("twin", 700_000, seed: 4);
        new SourceTreeBuilder(B).Populate(seed: 2, items: 15, largestFile: 300_000).File("twin-too", 700_000, seed: 4);
    }

    public string A { get; }

    public string B { get; }

    public static VaultOptions Options { get; } = new()
    {
        Workers = 2,
        KeyDerivationIterations = 1000,
        TimeProvider = new LateClock(),
    };

    public static async Task<UnlockedVault> OpenAsync(IVaultStore store, VaultUse? use = VaultUse.Read, CancellationToken cancellationToken = default) =>
        await TestVault.UnlockAsync(store, Passphrase, Options, cancellationToken, use);

    public static async Task<BackupResult> BackUpAsync(IVaultStore store, string source, CancellationToken cancellationToken = default)
    {
        UnlockedVault engine = await OpenAsync(store, VaultUse.Write, cancellationToken);
        var request = new BackupRequest
        {
            MachineName = Path.GetFileName(source),
            Sources = [new BackupSource.Tree(source, SourceSelection.Everything)],
            VerifyOneIn = 1,

            // Checkpoints as often as there is anything to check-point.
            CheckpointBytes = 256 << 10,
        };
        return await engine.BackUpAsync(request, new JobMonitor(), cancellationToken);
    }

    /// <summary>Backs up and remembers what the tree was like.</summary>
    public async Task BackUpAndRememberAsync(IVaultStore store, string source)
    {
        string copy = _folder[$"copy{Interlocked.Increment(ref _copies)}"];
        Shell.RunChecked("cp", "-a", source, copy);
        BackupResult result = await BackUpAsync(store, source);
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        lock (_states)
        {
            _states.Add(result.Point.SessionId, (source, copy));
        }
    }

    public bool Knows(SessionId session) => _states.ContainsKey(session);

    /// <summary>The points that are remembered come back as their trees were.</summary>
    public async Task AssertRestoresAsync(IVaultStore store, IEnumerable<SessionId> sessions)
    {
        foreach (SessionId session in sessions)
        {
            (string source, string copy) = _states[session];
            await AssertRestoresAsAsync(store, session, source, copy);
        }
    }

    /// <summary>A point comes back as a folder is now.</summary>
    public async Task AssertRestoresAsAsync(IVaultStore store, SessionId session, string source, string expected)
    {
        using var target = new TempFolder(_folder.Path);
        UnlockedVault engine = await OpenAsync(store);
        RecoveryPoint point = await engine.GetPointAsync(session.ToString(), null, default);
        var request = new RestoreRequest { Point = point, TargetFolder = target.Path };
        RestoreResult result = await engine.RestoreAsync(request, new JobMonitor(), default);
        Assert.Equal(0, result.Skipped);
        Assert.Empty(TreeComparer.Compare(expected, target.Path + source));
    }

    public static async Task<VerifyReport> VerifyAsync(IVaultStore store) =>
        await (await OpenAsync(store)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), default);

    /// <summary>Runs something that may fail, but only as the engine promises to; never hangs.</summary>
    public static async Task<bool> SucceedsOrFailsWellAsync(Func<Task> action)
    {
        try
        {
            await Task.Run(action).WaitAsync(TimeSpan.FromMinutes(2));
            return true;
        }
        catch (BackupException e)
        {
            Assert.NotEqual(BackupErrorId.UnexpectedError, e.Id);
            Assert.False(string.IsNullOrWhiteSpace(e.RecommendedAction));
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>An hour late, so that no file looks as if it had just changed.</summary>
    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddHours(1);
    }
}
