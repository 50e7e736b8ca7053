using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Hostile;

/// <summary>A vault written by somebody who has the keys and means harm: everything is sealed as it should be, and says what it should not.</summary>
internal sealed class HostileVault : IDisposable
{
    private const string Passphrase = "correct horse battery staple";
    private const string Machine = "victim";

    private readonly TempFolder _folder;
    private readonly ChunkStore _store;
    private readonly WriteSession _session;

    private HostileVault(TempFolder folder, MemoryVaultStore objects, ChunkStore store, WriteSession session)
    {
        _folder = folder;
        Objects = objects;
        _store = store;
        _session = session;
        Directory.CreateDirectory(Outside);
        Directory.CreateDirectory(Source);
        File.WriteAllText(Path.Combine(Outside, "precious"), "untouched");
        File.WriteAllText(Path.Combine(Source, "file"), "mine");
    }

    public MemoryVaultStore Objects { get; }

    public ChunkStore Store => _store;

    /// <summary>A folder that nothing may be written into.</summary>
    public string Outside => _folder["outside"];

    public string Source => _folder["source"];

    public string Target => _folder["target"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static VaultOptions Options { get; } = new() { Workers = 2, KeyDerivationIterations = 1 };

    public static async Task<HostileVault> CreateAsync()
    {
        var objects = new MemoryVaultStore();
        await Vault.CreateAsync(objects, Passphrase, Options, Stop);
        VaultHeader header = await VaultHeader.ReadAsync(objects, Stop);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(Passphrase, Stop);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, Stop);
        var record = new SessionRecord { MachineId = null, Started = DateTimeOffset.UtcNow.AddMinutes(-5), AgentVersion = "0" };
        return new HostileVault(
            new TempFolder(), objects, store, await WriteSession.BeginAsync(store, new SessionAnnouncement(store, record), new TransferCounters(), 1, 0, Stop));
    }

    public void Dispose() => _folder.Dispose();

    public async Task<ChunkId> StoreAsync(ChunkKind kind, byte[] content) => await _session.Chunks.WriteAsync(kind, content, Stop);

    /// <summary>A manifest as the engine itself writes it.</summary>
    public async Task<ManifestRoot> WriteManifestAsync(params ManifestEntry[] entries)
    {
        var writer = new ManifestWriter(_session.Chunks, _store.Keys.ManifestBoundaryKey.Span);
        foreach (ManifestEntry entry in entries.OrderBy(entry => entry.Path))
        {
            await writer.AddAsync(entry, Stop);
        }

        return await writer.CompleteAsync(Stop);
    }

    /// <summary>Commits a point of one source.</summary>
    public Task CommitAsync(string path, ManifestRoot manifest) => CommitAsync(RecoveryPointCodec.Encode(new RecoveryPoint
    {
        SessionId = _session.Id,
        MachineId = _store.Header.MachineId(Machine),
        MachineName = Machine,
        OperatingSystem = "none",
        AgentVersion = "0",
        Started = DateTimeOffset.UtcNow,
        Ended = DateTimeOffset.UtcNow,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = path, Form = path.StartsWith("C:", StringComparison.Ordinal) ? PathForm.Windows : PathForm.Posix, Manifest = manifest }],
    }));

    /// <summary>Commits a point whose bytes are given.</summary>
    public async Task CommitAsync(byte[] point)
    {
        await _session.FlushAsync(Stop);
        await _session.CommitAsync(_store.Header.MachineId(Machine), _ => point, Stop);
        await _session.DisposeAsync();
    }

    /// <summary>Puts a sealed object of any content where the engine will look for it.</summary>
    public void Put(SealedObjectKind kind, string name, byte[] content) =>
        Objects.SetContent(name, SealedObject.Seal(_store.Keys, kind, name, content));

    /// <summary>What a verification finds.</summary>
    public async Task<IReadOnlyList<VerifyFinding>> VerifyAsync(VerifyLevel level)
    {
        UnlockedVault engine = await TestVault.UnlockAsync(Objects, Passphrase, Options, Stop);
        return (await engine.VerifyAsync(level, new JobMonitor(), Stop)).Findings;
    }

    /// <summary>
    /// Does with the vault all that can be done. Each may fail as the engine promises to, and in no other way; nothing may be
    /// changed but the target.
    /// </summary>
    /// <returns>What was refused.</returns>
    public async Task<IReadOnlyList<BackupErrorId>> AssertHarmlessAsync(string what)
    {
        var refused = new List<BackupErrorId>();
        var monitor = new JobMonitor
        {
            ItemSkipped = item =>
            {
                lock (refused)
                {
                    refused.Add(item.Id);
                }
            },
        };
        await TryAsync(
            async engine => refused.AddRange((await engine.VerifyAsync(VerifyLevel.Data, monitor, Stop)).Findings.Select(_ => BackupErrorId.VaultDataCorrupt)));
        await TryAsync(async engine =>
        {
            foreach (RecoveryPoint point in await engine.ListPointsAsync(null, Stop))
            {
                await TryAsync(async engine => await engine.ListItemsAsync(point, null, recursive: true, Stop).CountAsync(Stop));
                await TryAsync(async engine => await engine.FindItemsAsync(point, "*", ignoreCase: false, Stop).CountAsync(Stop));
                await TryAsync(async engine => await engine.ListSkippedAsync(point, Stop).CountAsync(Stop));
                await TryAsync(async engine =>
                {
                    var request = new RestoreRequest { Point = point, TargetFolder = Target, Conflict = RestoreConflict.Overwrite, Verify = true };
                    await engine.RestoreAsync(request, monitor, Stop);
                });
            }
        });
        await TryAsync(async engine => await engine.RebuildIndexAsync(new JobMonitor(), Stop));
        await TryAsync(async engine => await engine.RepairAsync(new RepairRequest(), new JobMonitor(), Stop));
        await TryAsync(async engine => await engine.BackUpAsync(
            new BackupRequest { MachineName = Machine, Sources = [new BackupSource.Tree(Source, SourceSelection.Everything)] },
            new JobMonitor(),
            Stop));

        Assert.Equal(["precious"], Directory.EnumerateFileSystemEntries(Outside).Select(Path.GetFileName));
        Assert.Equal("untouched", await File.ReadAllTextAsync(Path.Combine(Outside, "precious"), Stop));
        Assert.Subset(
            new HashSet<string> { "outside", "source", "target" },
            Directory.EnumerateFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)!).ToHashSet());
        return refused;

        async Task TryAsync(Func<UnlockedVault, Task> action)
        {
            try
            {
                await Task.Run(async () => await action(await TestVault.UnlockAsync(Objects, Passphrase, Options, Stop)), Stop)
                    .WaitAsync(TimeSpan.FromMinutes(1), Stop);
            }
            catch (BackupException e) when (e.Id != BackupErrorId.UnexpectedError)
            {
                lock (refused)
                {
                    refused.Add(e.Id);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"{what}: {e}", e);
            }
        }
    }
}
