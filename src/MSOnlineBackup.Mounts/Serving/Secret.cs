using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>What clients of a port must know, which every account of this machine can reach.</summary>
internal sealed class Secret(string text)
{
    private readonly byte[] _bytes = Encoding.UTF8.GetBytes(text);

    /// <summary>As it is told; empty where none is needed.</summary>
    public string Text => text;

    /// <summary>One that nobody guesses: 128 bits.</summary>
    public static Secret Create() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));

    /// <summary>Whether it is what a client says, in a time that tells nothing but whether the length is right.</summary>
    public bool Is(ReadOnlySpan<byte> said) => CryptographicOperations.FixedTimeEquals(said, _bytes);
}
