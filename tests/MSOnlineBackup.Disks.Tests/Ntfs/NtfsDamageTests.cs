using System.Text;
using MSOnlineBackup.Disks.Ntfs;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ntfs;

/// <summary>Whatever stands on a volume: values, or errors of their own, and an end.</summary>
public sealed class NtfsDamageTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task An_altered_volume_gives_items_or_errors_with_an_id()
    {
        byte[] image = await CreateAsync();
        var sound = new AlteredContent(image);
        (int items, int errors) = await ReadVolume.TryAllAsync(() => OpenAsync(sound), int.MaxValue);
        Assert.Equal((59, 0), (items, errors));
        (int Items, int Errors) all = (0, 0);
        int first = Campaign.FirstSeed(1);
        for (int seed = first; seed < first + Campaign.Rounds(usual: 400, full: 200_000); seed++)
        {
            try
            {
                using AlteredContent altered = sound.Alter(new Random(seed), sound.Reads);
                altered.Budget = (sound.Read * 20) + (50 << 20);
                (int count, int faults) = await ReadVolume.TryAllAsync(() => OpenAsync(altered), 200_000);
                all = (all.Items + count, all.Errors + faults);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}", e);
            }
        }

        Assert.True(all.Items > 0 && all.Errors > 0, $"{all}");
    }

    [Fact]
    public void Altered_compressed_bytes_give_bytes_or_an_error_with_an_id()
    {
        var random = new Random(3);
        int errors = 0;
        for (int i = 0; i < 2000; i++)
        {
            // Pieces of nine letters, and what repeats them to the piece's end.
            byte[] packed = [.. Enumerable.Repeat<byte[]>([0x0C, 0xB0, 0, .. "abcdefgh"u8, 0x02, (byte)'i', 0xF4, 0x8F], 4).SelectMany(piece => piece)];
            packed[random.Next(packed.Length)] = (byte)random.Next(256);
            try
            {
                Assert.Equal(65536, Lznt1.Decompress(packed, 65536).Length);
            }
            catch (Vaults.Errors.BackupException e) when (e.Id == Vaults.Errors.BackupErrorId.VolumeCorrupt)
            {
                errors++;
            }
        }

        Assert.InRange(errors, 1, 1999);
    }

    private static async Task<IFileVolume?> OpenAsync(IDiskContent content) =>
        (await NtfsVolume.ProbeAsync(content, "the disk", TestContext.Current.CancellationToken))?.RequireFiles();

    private async Task<byte[]> CreateAsync()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 4 << 20);
        NtfsImage.Use(image, folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "many"));
            for (int i = 0; i < 50; i++)
            {
                File.WriteAllText(Path.Combine(folder, "many", $"a name of some length, so that they need blocks {i}"), "x");
            }

            Directory.CreateDirectory(Path.Combine(folder, "packed"));
            Shell.RunChecked("setfattr", "-n", "system.ntfs_attrib", "-v", "0x00080000", Path.Combine(folder, "packed"));
            File.WriteAllText(Path.Combine(folder, "packed", "text"), new StringBuilder().Insert(0, "some text ", 9000).ToString());
            using (FileStream scattered = File.Create(Path.Combine(folder, "pieces")))
            {
                for (int i = 300; i >= 0; i--)
                {
                    scattered.Position = i * 8192;
                    scattered.Write(Encoding.ASCII.GetBytes(new string('p', 4096)));
                    scattered.Flush();
                }
            }

            File.CreateSymbolicLink(Path.Combine(folder, "link"), "many");
            Directory.CreateDirectory(Path.Combine(folder, "a", "b", "c"));
            File.WriteAllText(Path.Combine(folder, "a", "b", "c", "file"), "y");
        });
        return await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
    }
}
