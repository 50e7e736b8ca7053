using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>The test vectors as <c>docs/vault-format.md</c> has them: blocks of <c>name: value</c>, long values on indented lines.</summary>
internal static class FormatDocument
{
    private static readonly Dictionary<(string Block, string Name), string> _vectors = Read();

    /// <summary>The whole document.</summary>
    public static string Text => File.ReadAllText(Path.Combine(Repository.Root, "docs", "vault-format.md"));

    /// <summary>A value as it is written.</summary>
    public static string Raw(string block, string name) => _vectors[(block, name)];

    /// <summary>A value in hexadecimal digits.</summary>
    public static byte[] Hex(string block, string name) => Convert.FromHexString(Raw(block, name));

    /// <summary>A value in quotation marks.</summary>
    public static string Quoted(string block, string name) => JsonSerializer.Deserialize<string>(Raw(block, name))!;

    private static Dictionary<(string, string), string> Read()
    {
        var vectors = new Dictionary<(string, string), string>();
        string? block = null;
        string name = string.Empty;
        foreach (string line in Text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                block = line.StartsWith("```vector ", StringComparison.Ordinal) ? line["```vector ".Length..] : null;
            }
            else if (block is not null && line.StartsWith(' '))
            {
                vectors[(block, name)] += line.Trim();
            }
            else if (block is not null)
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                name = line[..colon];
                vectors.Add((block, name), line[(colon + 1)..].Trim());
            }
        }

        return vectors;
    }
}
