using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Disks.Xfs;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Xfs;

/// <summary>Whatever stands in a file system: values, or errors of their own, and an end.</summary>
public sealed class XfsDamageTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("-m crc=0 -b size=1024", false)]
    [InlineData("-m crc=0 -n ftype=0,size=8192", false)]
    [InlineData("-b size=1024", false)]
    [InlineData("-b size=1024", true)]
    [InlineData("-n size=8192 -i nrext64=1", true)]
    public async Task An_altered_file_system_gives_items_or_errors_with_an_id(string options, bool isSealed)
    {
        byte[] image = await CreateAsync(options);
        var sound = new AlteredContent(image);
        (int items, int errors) = await ReadVolume.TryAllAsync(() => OpenAsync(sound), int.MaxValue);
        Assert.Equal((166, 0), (items, errors));

        // The log is for a note only.
        (long Offset, int Length)[] places = [.. sound.Reads.Where(read => read.Length is >= 256 and < 100_000).Select(read => (read.Offset, read.Offset == 0 ? 512 : read.Length))];
        (int Items, int Errors) all = (0, 0);
        int first = Campaign.FirstSeed(1);
        for (int seed = first; seed < first + Campaign.Rounds(usual: 150, full: 50_000); seed++)
        {
            try
            {
                using AlteredContent altered = sound.Alter(new Random(seed), places, isSealed ? Seal : null);
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

    private static void Seal(byte[] image, long offset, int length)
    {
        Span<byte> place = image.AsSpan((int)offset, length);
        int at = place[..2].SequenceEqual("IN"u8) ? 100
            : place[..4].SequenceEqual("XFSB"u8) ? 224
            : place[..4].SequenceEqual("XDB3"u8) || place[..4].SequenceEqual("XDD3"u8) ? 4
            : place[..4].SequenceEqual("BMA3"u8) ? 64
            : place[..4].SequenceEqual("XSLM"u8) ? 12
            : -1;
        if (at >= 0 && at + 4 <= length)
        {
            BitConverter.TryWriteBytes(place[at..], XfsChecksum.Of(place, at));
        }
    }

    private static async Task<IFileVolume?> OpenAsync(IDiskContent content) =>
        (await XfsVolume.ProbeAsync(content, "the disk", TestContext.Current.CancellationToken))?.RequireFiles();

    // Version 4 cannot be mounted any more: mkfs fills it. Its files have one extent, so that one with a tree comes from a mount.
    private async Task<byte[]> CreateAsync(string options)
    {
        await File.WriteAllTextAsync(_temp["source"], new string('s', 200_000), TestContext.Current.CancellationToken);
        var prototype = new StringBuilder($"/none\n0 0\nd--755 0 0\nfile ---644 0 0 {_temp["source"]}\nlong l--777 0 0 {new string('t', options.Contains("crc=0", StringComparison.Ordinal) ? 700 : 70)}\nfew d--755 0 0\na l--777 0 0 b\nb d--755 0 0\n$\n$\nmany d--755 0 0\n");
        for (int i = 0; i < 160; i++)
        {
            prototype.Append($"a-name-of-some-length-{i} l--777 0 0 {i}\n");
        }

        await File.WriteAllTextAsync(_temp["prototype"], prototype.Append("$\n$\n").ToString(), TestContext.Current.CancellationToken);
        string image = XfsImage.Create(_temp["xfs"], 32 << 20, [.. options.Split(' '), "-p", _temp["prototype"]]);
        if (!options.Contains("crc=0", StringComparison.Ordinal) && Shell.IsLinuxRoot && MountedFileSystem.CanMake("xfs"))
        {
            XfsImage.Use(image, folder =>
            {
                File.Delete(Path.Combine(folder, "long"));
                File.CreateSymbolicLink(Path.Combine(folder, "long"), new string('t', 200) + "/" + new string('t', 700));
                using FileStream scattered = File.OpenWrite(Path.Combine(folder, "file"));
                for (int i = 0; i < 400; i++)
                {
                    scattered.Position = i * 16_384;
                    scattered.Write(Encoding.ASCII.GetBytes("piece"));
                }
            });
        }

        return await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
    }
}
