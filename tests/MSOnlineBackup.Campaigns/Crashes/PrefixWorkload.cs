using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>Two machines with trees that overlap, and what they do with one vault.</summary>
internal sealed class PrefixWorkload : IDisposable
{
    public const string Passphrase = "correct horse battery staple";
    public const string SecondPassphrase = "a second way into the same vault";

    private readonly TempFolder _folder = new();

    public PrefixWorkload()
    {
        Alpha = _folder["alpha"];
        Beta = _folder["beta"];
        foreach (string root in new[] { Alpha, Beta })
        {
            // Alike but for the name of one file: most of what the second sends is there.
            new SourceTreeBuilder(root).Describe(
                $"""
                f 0-large 1800K
                f a/medium1 150K
                f a/medium2 140K 600
                s a/sparse 700K 150K@300K
                f b/small1 3K
                f b/small2 5000
                f b/{Path.GetFileName(root)} 7000
                h b/hard = b/small1
                l b/link -> ../nowhere
                d c/empty 700
                f c/nothing 0
                f z-medium 145K
                """);
        }
    }

    public string Alpha { get; }

    public string Beta { get; }

    /// <summary>Long after the trees were made: nothing in them may change once more within the same tick.</summary>
    public FakeClock Clock { get; } = new(DateTimeOffset.UtcNow.AddHours(1));

    public VaultOptions Options => new()
    {
        TimeProvider = Clock,
        Workers = 2,
        KeyDerivationIterations = 1,
    };

    public string this[string name] => _folder[name];

    /// <summary>Changes alpha's tree: contents, metadata, names, kinds; the large file in its middle.</summary>
    public void EditAlpha(int seed)
    {
        var tree = new SourceTreeBuilder(Alpha);
        using (FileStream large = UnixFile.Open(tree.PathOf("0-large"), FileAccess.ReadWrite))
        {
            large.Position = 900_000 + (seed * 1000);
            large.WriteByte((byte)seed);
        }

        tree.File("a/medium2", 141 << 10, seed).File($"b/new{seed}", 4000, seed).Mode("b/small2", 0b111_000_000).Delete("c/nothing").Directory("c/nothing");
    }

    public async Task<UnlockedVault> OpenAsync(IVaultStore store, CancellationToken cancellationToken, string passphrase = Passphrase) =>
        await TestVault.UnlockAsync(store, passphrase, Options, cancellationToken);

    /// <summary>One backup of a tree; the clock moves on before, so that sessions sort.</summary>
    public async Task<BackupResult> BackUpAsync(IVaultStore store, string tree, CancellationToken cancellationToken)
    {
        Clock.Advance(TimeSpan.FromSeconds(10));
        UnlockedVault engine = await OpenAsync(store, cancellationToken);
        return await BackUpAsync(engine, tree, cancellationToken);
    }

    public static Task<BackupResult> BackUpAsync(UnlockedVault engine, string tree, CancellationToken cancellationToken) =>
        engine.BackUpAsync(
            new BackupRequest
            {
                MachineName = Path.GetFileName(tree),
                Sources = [new BackupSource.Tree(tree, SourceSelection.Everything)],
                CheckpointBytes = 0,
                CheckpointInterval = TimeSpan.Zero,
            },
            new JobMonitor(),
            cancellationToken);

    public void Dispose() => _folder.Dispose();
}
