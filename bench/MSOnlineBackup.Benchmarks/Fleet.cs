using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Benchmarks;

/// <summary>
/// A vault in a folder as many machines leave it that have been backed up daily for long: their records, statuses and recovery points, and no data.
/// So it can be listed, watched and reported on, but not restored from.
/// </summary>
internal static class Fleet
{
    // As many as a watch reads of a machine.
    private const int Statuses = 12;
    private const long Protected = 200L << 30;
    private const long Stored = 1L << 30;

    private static readonly string[] _folders = ["/etc", "/home", "/srv/data"];

    /// <summary>Fills a vault that was just created.</summary>
    /// <param name="folder">The vault.</param>
    /// <param name="machines">How many machines it gets. The last has been silent for a week.</param>
    /// <param name="points">How many recovery points each of them has, one a day.</param>
    public static async Task FillAsync(string folder, int machines, int points)
    {
        string passphrase = Environment.GetEnvironmentVariable("PASSPHRASE") ?? throw new InvalidOperationException("PASSPHRASE is not set.");
        var objects = new FolderVaultStore(folder);
        VaultHeader header = await VaultHeader.ReadAsync(objects, CancellationToken.None);
        UnlockedKey key = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(passphrase, CancellationToken.None);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, key.StoreId, key.MasterKey, CancellationToken.None);
        Vault vault = await Vault.OpenAsync(objects, new VaultOptions(), CancellationToken.None);
        using UnlockedVault unlocked = await vault.UnlockAsync(passphrase, CancellationToken.None);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        for (int machine = 1; machine <= machines; machine++)
        {
            string name = $"FLEET-{machine:000}";
            MachineId id = header.MachineId(name);
            DateTimeOffset newest = machine == machines ? now.AddDays(-7) : now.AddHours(-machine % 20);
            await vault.Entrance.ClaimAsync(name, unlocked.Key, CancellationToken.None);
            SessionId? last = null;
            for (int day = points - 1; day >= 0; day--)
            {
                DateTimeOffset created = newest.AddDays(-day);
                SessionId session = SessionId.Create(created, last);
                last = session;
                string point = VaultLayout.Point(store.StoreId, id, session);
                Write(folder, point, SealedObject.Seal(store.Keys, SealedObjectKind.RecoveryPoint, point, RecoveryPointCodec.Encode(Point(session, id, name, created, day))), created);
                Write(folder, VaultLayout.Commit(store.StoreId, id, session), "{}"u8.ToArray(), created);
            }

            await TellAsync(folder, unlocked, id, name, last, newest);
        }
    }

    private static async Task TellAsync(string folder, UnlockedVault vault, MachineId id, string name, SessionId? point, DateTimeOffset newest)
    {
        for (int each = 0; each < Statuses; each++)
        {
            await vault.WriteStatusAsync(
                new RunStatus
                {
                    Machine = name,
                    Policy = "files",
                    Outcome = RunOutcome.Completed,
                    AgentVersion = "0",
                    Point = point,
                    Files = 500_000,
                    Bytes = Protected,
                    NextSeconds = 86_400,
                    GraceSeconds = 7200,
                },
                CancellationToken.None);
        }

        foreach (string file in Directory.EnumerateFiles(PathOf(folder, VaultLayout.StatusesOf(id, "files"))))
        {
            File.SetLastWriteTimeUtc(file, newest.UtcDateTime);
        }
    }

    private static RecoveryPoint Point(SessionId session, MachineId id, string name, DateTimeOffset created, int day) => new()
    {
        SessionId = session,
        MachineId = id,
        MachineName = name,
        OperatingSystem = "Debian GNU/Linux 13 (trixie) 6.12",
        AgentVersion = "0",
        Started = created.AddMinutes(-20),
        Ended = created,
        Status = RecoveryPointStatus.Completed,
        Tags = [new RetentionTag(PolicyKind.Files, RetentionKind.Daily, created.AddDays(400)).ToString()],
        Sources =
        [
            .. _folders.Select(path => new RecoveryPointSource
            {
                Path = path,
                Manifest = new ManifestRoot(Samples.Id(day), 2, 200_000, 170_000, 30_000, Protected / 3),
            }),
        ],
        NewBytes = 2 * Stored,
        StoredBytes = Stored,
    };

    private static void Write(string folder, string name, byte[] content, DateTimeOffset created)
    {
        string path = PathOf(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        File.SetLastWriteTimeUtc(path, created.UtcDateTime);
    }

    private static string PathOf(string folder, string name) => Path.Combine(folder, name.Replace('/', Path.DirectorySeparatorChar));
}
