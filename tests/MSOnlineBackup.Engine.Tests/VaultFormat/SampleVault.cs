using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// A small vault with everything that the format has: two points of one machine, bundles, files of several chunks, holes, slice
/// lists, nodes above leaves, links, attributes. The golden vault is made by it: <see cref="GoldenVaultTests"/>.
/// </summary>
internal static class SampleVault
{
    public const string Passphrase = "golden vault of format 1";
    public const string MachineName = "Golden";

    private const int Run = 4096;
    private const int Runs = 300;

    /// <summary>Paths and contents of the files that the first or the second point holds.</summary>
    public static IReadOnlyDictionary<string, byte[]> Files(int point)
    {
        var files = new Dictionary<string, byte[]>
        {
            ["empty"] = [],
            ["notes.txt"] = Encoding.UTF8.GetBytes(point == 1 ? "The first state.\n" : "The second state, which is longer.\n"),
            ["large"] = Repeat('A', 5 << 20),
            ["folder/one"] = Repeat('1', 1000),
            ["folder/two"] = Repeat('2', 100_000),
            ["linked"] = Repeat('L', 300),
            ["link"] = Repeat('L', 300),
            ["sparse"] = [.. new byte[1 << 20], .. Repeat('B', 200 << 10), .. new byte[1 << 20]],
            ["runs"] = [.. Enumerable.Range(0, Runs).SelectMany(_ => (byte[])[.. Repeat('C', Run), .. new byte[Run]])],
        };
        if (point == 1)
        {
            files.Add("deleted later", Repeat('D', 50));
        }

        for (int i = 0; i < 900; i++)
        {
            files.Add($"many/{i:d3} {new string('n', 200)}", []);
        }

        return files;
    }

    /// <summary>Makes the vault in a folder, by two backups of another folder.</summary>
    public static async Task MakeAsync(string vault, string source, TimeProvider clock, int iterations, CancellationToken cancel)
    {
        var options = new EngineOptions { TimeProvider = clock, Workers = 2, KeyDerivationIterations = iterations };
        FolderVaultStore store = FolderVaultStore.Create(vault);
        await ClosedVault.CreateAsync(store, Passphrase, options, cancel);
        BackupEngine engine = await BackupEngine.OpenAsync(store, Passphrase, options, cancel);
        for (int point = 1; point <= 2; point++)
        {
            Build(source, point);
            (clock as FakeClock)?.Advance(TimeSpan.FromHours(1));
            var request = new BackupRequest
            {
                MachineName = MachineName,
                Sources = [new BackupSource.Tree(source, SourceSelection.Everything)],
                Tags = [$"point {point}"],
            };
            await engine.BackUpAsync(request, new JobMonitor(), cancel);
        }
    }

    private static void Build(string source, int point)
    {
        var tree = new SourceTreeBuilder(source);
        IReadOnlyDictionary<string, byte[]> files = Files(point);
        foreach ((string path, byte[] content) in files.Where(file => point == 1 || file.Key == "notes.txt"))
        {
            switch (path)
            {
                case "link":
                    tree.HardLink(path, "linked");
                    break;
                case "sparse":
                    WriteRuns(System.IO.Path.Combine(source, path), content, 1 << 20, 200 << 10);
                    break;
                case "runs":
                    WriteRuns(System.IO.Path.Combine(source, path), content, [.. Enumerable.Range(0, Runs).SelectMany(i => (int[])[i == 0 ? 0 : Run, Run])]);
                    break;
                default:
                    tree.File(path, content);
                    break;
            }
        }

        if (point == 1)
        {
            tree.File(@"not UTF-8 \xff\xfe", "raw"u8).Link("symbolic", "folder/one").Attribute("folder/one", "user.note", "kept"u8.ToArray()).Mode("folder/one", 0b110_000_000);
        }
        else
        {
            tree.Delete("deleted later");
        }
    }

    // Pairs of a distance that is left as a hole and a length that is written.
    private static void WriteRuns(string path, byte[] content, params int[] runs)
    {
        using var file = new FileStream(path, FileMode.CreateNew);
        file.SetLength(content.Length);
        for (int i = 0; i < runs.Length; i += 2)
        {
            file.Position += runs[i];
            file.Write(content, (int)file.Position, runs[i + 1]);
        }
    }

    private static byte[] Repeat(char letter, int count) => [.. Enumerable.Repeat((byte)letter, count)];
}
