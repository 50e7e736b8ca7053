using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Benchmarks;

/// <summary>What the content of a sample is like.</summary>
public enum SampleKind
{
    /// <summary>Words and punctuation.</summary>
    Text,

    /// <summary>Machine code and tables: the runtime's core library.</summary>
    Code,

    /// <summary>Random bytes, as of media or ciphertext.</summary>
    Random,
}

/// <summary>The same keys and bytes in every run.</summary>
internal static class Samples
{
    public const int PieceLength = 1 << 20;

    public static StoreKeys Keys { get; } = new(new byte[StoreKeys.MasterKeyLength], new byte[16], default);

    public static byte[] Piece(SampleKind kind) => kind switch
    {
        SampleKind.Text => Text(),
        SampleKind.Code => Code(),
        _ => Noise(PieceLength, seed: 1),
    };

    public static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static ChunkId Id(long number) => new(SHA256.HashData(BitConverter.GetBytes(number)));

    private static byte[] Text()
    {
        string[] words = [.. typeof(object).Assembly.GetExportedTypes().Select(type => type.Name).Order(StringComparer.Ordinal)];
        var random = new Random(2);
        var text = new StringBuilder(PieceLength + 256);
        while (text.Length < PieceLength)
        {
            // The square prefers some words to others, as language does.
            double draw = random.NextDouble();
            text.Append(words[(int)(draw * draw * words.Length)]).Append(random.Next(8) == 0 ? ";\n    " : " ");
        }

        return Encoding.UTF8.GetBytes(text.ToString())[..PieceLength];
    }

    private static byte[] Code()
    {
        byte[] piece = new byte[PieceLength];
        using FileStream library = File.OpenRead(typeof(object).Assembly.Location);
        library.Position = library.Length / 2;
        library.ReadExactly(piece);
        return piece;
    }
}
