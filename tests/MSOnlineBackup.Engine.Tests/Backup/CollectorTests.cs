using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>
/// A collector can rely on it that writers announce themselves before they look: a model of one, by section 12 of the format, takes its steps at random moments
/// between a writer's, and nothing that a point names is ever gone.
/// </summary>
public sealed class CollectorTests
{
    private static readonly byte[] _content = TestKeys.Bytes(1, 300_000);

    [Theory]
    [InlineData(null)]
    [InlineData(VaultUse.Write)]
    public async Task Whenever_a_collector_takes_its_steps_no_point_misses_anything(VaultUse? use)
    {
        int deleted = 0;
        int waited = 0;
        foreach (int seed in Enumerable.Range(0, Testing.Campaign.Rounds(usual: 60, full: 2000, brief: 30)))
        {
            var random = new Random(seed);
            using var backups = new BackupFixture();
            backups.Fakes["/data"] = Tree("again");
            RecoveryPoint gone = (await backups.BackUpAsync(Request("/data"))).Point;

            // From here on nothing names the content; and now it is backed up again.
            backups.Objects.Remove(backups.Points.Single(name => name.EndsWith($"{gone.SessionId}", StringComparison.Ordinal)));
            backups.Fakes["/data"] = Tree("again");
            var collector = new Collector(await backups.OpenStoreAsync(), backups.Objects, backups.OpenStoreAsync);
            int[] moments = [.. Enumerable.Range(0, Collector.Steps).Select(_ => random.Next(30)).Order()];
            var interleaved = new Interleaved(backups.Objects, call =>
            {
                while (collector.Taken < Collector.Steps && call >= moments[collector.Taken] && collector.Step())
                {
                }
            });

            RecoveryPoint made = (await (await backups.OpenAsync(interleaved, use)).BackUpAsync(backups.Job("/data"), new JobMonitor(), Cancel)).Point;
            waited += collector.Taken < Collector.Steps ? 1 : 0;
            while (collector.Step())
            {
            }

            Assert.Equal(_content, await backups.ReadAsync(made, "/data/again"));
            deleted += collector.Deleted;
        }

        // All that can happen has happened: packs were deleted, and a writer was waited for.
        Assert.True(deleted > 0 && waited > 0, $"deleted {deleted}, waited {waited}");
    }

    private static FakeSourceTree Tree(string name) => new FakeSourceTree("/data").Folder("").File(name, _content);

    /// <summary>The collector of the document: condemn, see who is there, wait for them, look again, delete.</summary>
    private sealed class Collector(ChunkStore store, MemoryVaultStore objects, Func<Task<ChunkStore>> open)
    {
        public const int Steps = 3;

        // What was there before the test began is over.
        private readonly HashSet<string> _over =
            [.. objects.Names.Where(name => name.Contains("/sessions/", StringComparison.Ordinal)).Select(name => name[^32..])];
        private List<string> _condemned = [];
        private List<string> _waiting = [];

        public int Taken { get; private set; }

        public int Deleted { get; private set; }

        /// <summary>Takes the next step; false where there is none, or somebody is waited for.</summary>
        public bool Step()
        {
            switch (Taken)
            {
                case 0:
                    _condemned = [.. Packs().Except(Live())];
                    string name = CondemnedPacks.NameOf(store.StoreId, 1);
                    byte[] content = CondemnedPacks.Encode([.. _condemned.Select(pack => VaultLayout.TryParseNumbered(pack, out SessionId session, out uint number) ? (session, number) : default)]);
                    objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.CondemnedPacks, name, content));
                    break;
                case 1:
                    _waiting = [.. Names("/sessions/").Select(session => session[^32..]).Where(session => !IsOver(session))];
                    break;
                case 2 when _waiting.TrueForAll(IsOver):
                    foreach (string pack in _condemned.Except(Live()))
                    {
                        objects.Remove(pack);
                        Deleted++;
                    }

                    break;
                default:
                    return false;
            }

            Taken++;
            return true;
        }

        private bool IsOver(string session) => _over.Contains(session) || Names("/points/").Any(point => point.EndsWith(session, StringComparison.Ordinal));

        private List<string> Packs() => Names("/packs/");

        private List<string> Names(string part) => [.. objects.Names.Where(name => name.Contains(part, StringComparison.Ordinal))];

        // The packs that a point needs: by opening everything it names, as marking would.
#pragma warning disable VSTHRD002 // Nothing in a test has a context to block.
        private HashSet<string> Live() => Task.Run(async () =>
        {
            var live = new HashSet<string>();
            ChunkStore fresh = await open();
            await fresh.SurveyPacksAsync(CancellationToken.None);
            var catalog = new RecoveryPointCatalog(fresh);
            await foreach (RecoveryPoint point in catalog.ReadReadableAsync(await catalog.ListAllAsync(machineId: null, CancellationToken.None), CancellationToken.None))
            {
                foreach (RecoveryPointSource source in point.Sources)
                {
                    await AddAsync(source.Manifest.Id);
                    await foreach (ManifestEntry entry in new ManifestReader(fresh, source.Manifest).ReadAsync(EntryPath.Root, CancellationToken.None))
                    {
                        await foreach (ContentSlice slice in new EntryContentReader(fresh).ReadAsync(entry.Content, CancellationToken.None))
                        {
                            if (slice.Chunk is { } chunk)
                            {
                                await AddAsync(chunk);
                            }
                        }
                    }
                }
            }

            return live;

            async Task AddAsync(ChunkId id)
            {
                foreach (ChunkLocation copy in await fresh.LocateAsync(id, CancellationToken.None))
                {
                    live.Add(fresh.NameOf(copy.Pack));
                }
            }
        }).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }

    /// <summary>Calls before each call of a writer, one at a time.</summary>
    private sealed class Interleaved(MemoryVaultStore inner, Action<int> before) : IVaultStore
    {
        private readonly Lock _gate = new();
        private int _calls;

        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
        {
            Before();
            return inner.TryCreateAsync(name, content, cancellationToken, tier);
        }

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            Before();
            return inner.ReadAsync(name, offset, destination, cancellationToken);
        }

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
        {
            Before();
            return inner.StatAsync(name, cancellationToken);
        }

        public async IAsyncEnumerable<StoredObject> ListAsync(
            string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Before();
            List<StoredObject> listed = await inner.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken);
            foreach (StoredObject found in listed)
            {
                yield return found;
            }
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
        {
            Before();
            return inner.DeleteAsync(name, cancellationToken);
        }

        private void Before()
        {
            lock (_gate)
            {
                before(++_calls);
            }
        }
    }
}
