using System.Collections.Concurrent;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>A vault in a real folder, opened anew for every operation as separate runs would.</summary>
public sealed class FolderVault
{
    // The derivation of the key is not what is tried here.
    private static readonly VaultOptions _options = new() { KeyDerivationIterations = 1000, Workers = 2, TimeProvider = new LateClock() };

    /// <summary>A vault that is there, under <see cref="Obengine.Passphrase"/>.</summary>
    public FolderVault(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>What the last backup or restore skipped.</summary>
    public ConcurrentQueue<SkippedItem> Skipped { get; } = [];

    /// <summary>Counters of the last backup or restore, also of one under way.</summary>
    public JobMonitor Monitor { get; private set; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<FolderVault> CreateAsync(string folder)
    {
        await Vault.CreateAsync(FolderVaultStore.Create(folder), Obengine.Passphrase, _options, Cancel);
        return new FolderVault(folder);
    }

    /// <summary>Stands between the engine and the folder; nothing by default.</summary>
    public Func<IVaultStore, IVaultStore> Decorate { get; set; } = static store => store;

    public Task<UnlockedVault> OpenAsync() => TestVault.UnlockAsync(Decorate(new FolderVaultStore(Folder)), Obengine.Passphrase, _options, Cancel);

    public Task<BackupResult> BackUpAsync(string source, bool crossMountPoints = false) => BackUpAsync(
        new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(source, new SourceSelection { CrossMountPoints = crossMountPoints })],

            // A file system in memory stands for any other.
            Rules = SourceRules.Open with { Allowed = [SourceKind.Memory] },
        });

    public async Task<BackupResult> BackUpAsync(BackupRequest request, CancellationToken? stop = null)
    {
        UnlockedVault engine = await OpenAsync();
        Watch();
        return await engine.BackUpAsync(request, Monitor, stop ?? Cancel);
    }

    /// <summary>What the last backup noted.</summary>
    public ConcurrentQueue<string> Notes { get; } = [];

    /// <summary>What the last backup warned of.</summary>
    public ConcurrentQueue<BackupException> Warnings { get; } = [];

    public async Task<RestoreResult> RestoreAsync(RecoveryPoint point, string target, RestoreConflict conflict = RestoreConflict.Skip, bool verify = true, bool mapNames = false)
    {
        UnlockedVault engine = await OpenAsync();
        Watch();
        var request = new RestoreRequest { Point = point, TargetFolder = target, Conflict = conflict, Verify = verify, MapNames = mapNames };
        return await engine.RestoreAsync(request, Monitor, Cancel);
    }

    /// <summary>Verifies all there is, and says what is wrong.</summary>
    public async Task<IReadOnlyList<VerifyFinding>> VerifyAsync(VerifyLevel level = VerifyLevel.Data)
    {
        UnlockedVault engine = await OpenAsync();
        return (await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings;
    }

    public async Task<IReadOnlyList<RecoveryPoint>> PointsAsync() => await (await OpenAsync()).ListPointsAsync(null, Cancel);

    /// <summary>Every copy of a piece of content in its packs, read from the packs' own footers: its name and its bytes before compression.</summary>
    public async Task<IReadOnlyList<(string Id, long Length)>> ContentAsync()
    {
        var objects = new FolderVaultStore(Folder);
        VaultHeader header = await VaultHeader.ReadAsync(objects, Cancel);
        UnlockedKey unlocked = await new KeyRing(new KnownVault(objects, header, _options)).UnlockAsync(Obengine.Passphrase, Cancel);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, Cancel);
        var content = new List<(string, long)>();
        await foreach (StoredObject found in objects.ListAsync(VaultLayout.Packs(store.StoreId), Cancel))
        {
            Assert.True(VaultLayout.TryParseNumbered(found.Name, out SessionId session, out uint number));
            (_, IReadOnlyList<PackedChunk> chunks) = await store.ReadFooterAsync(found, session, number, Cancel);
            content.AddRange(chunks.Where(chunk => chunk.Kind == ChunkKind.Content).Select(chunk => (chunk.Id.ToString(), (long)chunk.RawLength)));
        }

        return content;
    }

    /// <summary>Bytes of all its files.</summary>
    public long Size() => new DirectoryInfo(Folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private void Watch()
    {
        Skipped.Clear();
        Notes.Clear();
        Warnings.Clear();
        Monitor = new JobMonitor { ItemSkipped = Skipped.Enqueue, Noted = Notes.Enqueue, Warned = Warnings.Enqueue };
    }

    // Nothing that a test has just written is so fresh that the next backup reads it again.
    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromHours(1);
    }
}
