using System.Globalization;

namespace MSOnlineBackup.Benchmarks;

/// <summary>
/// A folder of which half is new each time: 40 folders of files that are a chunk each, for this program and for others, and of which a quarter does not compress.
/// </summary>
internal static class ChurnedFolder
{
    private const int Folders = 40;
    private const int ShortestFile = 132 << 10;
    private const int LongestFile = 160 << 10;

    /// <summary>Writes all files, or, after the first round, a quarter of the folders as a whole and a third of the files in the others.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="files">How many files it has.</param>
    /// <param name="round">From 0. The same number gives the same bytes.</param>
    public static async Task WriteAsync(string folder, int files, int round)
    {
        byte[] content = new byte[LongestFile];
        "What compresses well. "u8.CopyTo(content);
        for (int filled = 22; filled < content.Length; filled *= 2)
        {
            content.AsSpan(0, Math.Min(filled, content.Length - filled)).CopyTo(content.AsSpan(filled));
        }

        for (int file = 0; file < files; file++)
        {
            int inside = file % Folders;
            if (round > 0 && inside % 4 != round % 4 && file / Folders % 3 != round % 3)
            {
                continue;
            }

            var random = new Random(HashCodeOf(file, round));
            random.NextBytes(content.AsSpan(0, ShortestFile / 4));
            string path = Path.Combine(folder, inside.ToString("00", CultureInfo.InvariantCulture), $"{file / Folders}.dat");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, content.AsMemory(0, random.Next(ShortestFile, LongestFile)));
        }
    }

    // Not HashCode, which differs from process to process.
    private static int HashCodeOf(int file, int round) => unchecked((file * 1_000_003) + round);
}
