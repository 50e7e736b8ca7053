using System.Security.Cryptography;
using MSOnlineBackup.Agent.Installation;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>A file that is put on another machine: one of this machine's, or what is made for it.</summary>
/// <param name="Path">Where it goes below the folder of its version, with slashes.</param>
/// <param name="IsProgram">Whether it can be run.</param>
/// <param name="Source">The file here; null where it has its content.</param>
/// <param name="Content">What it holds, where it is no file here.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Hash">Its SHA-256: 64 hexadecimal digits in lower case.</param>
internal sealed record AgentFile(string Path, bool IsProgram, string? Source, byte[]? Content, long Length, string Hash)
{
    /// <summary>One of this machine's.</summary>
    /// <exception cref="IOException">It cannot be read, or <see cref="UnauthorizedAccessException"/>.</exception>
    public static async Task<AgentFile> OfAsync(string path, string source, bool isProgram, CancellationToken cancellationToken) => new(
        path,
        isProgram,
        source,
        null,
        new FileInfo(source).Length,
        await FileHashes.OfFileAsync(source, cancellationToken).ConfigureAwait(false) ?? throw new FileNotFoundException($"'{source}' is gone.", source));

    /// <summary>What is made for it.</summary>
    public static AgentFile Of(string path, byte[] content, bool isProgram) => new(path, isProgram, null, content, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
}
