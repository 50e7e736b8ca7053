using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <summary>Something that reads bytes which others may have written.</summary>
/// <param name="Name">Its folder in the corpus.</param>
/// <param name="Decode">
/// Reads an input. What lies within a seal or before a checksum is sealed here first, so that what lies behind is reached.
/// </param>
/// <param name="Seeds">Inputs that are as they should be, from which <c>OB_RECORD_CORPUS=1</c> makes the corpus.</param>
/// <param name="Covers">Types of the product whose decoding this is.</param>
internal sealed record Decoder(string Name, Action<byte[]> Decode, Func<byte[][]> Seeds, params Type[] Covers)
{
    private static string Corpus => Path.Combine(Repository.Root, "tests", "fixtures", "corpus");

    private string Folder => Path.Combine(Corpus, Name);

    /// <summary>Its corpus: sound inputs, and each that once found a fault.</summary>
    public IReadOnlyList<byte[]> Inputs => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)]
        : [];

    /// <summary>Adds an input to the corpus, and tells its file.</summary>
    public string Keep(string name, byte[] input)
    {
        string file = Path.Combine(Directory.CreateDirectory(Folder).FullName, name);
        File.WriteAllBytes(file, input);
        return Path.GetRelativePath(Repository.Root, file);
    }

    public override string ToString() => Name;
}
