using System.Globalization;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>A section of LVM's text: values and sections by their names.</summary>
/// <param name="Name">Its own name; empty for the whole text.</param>
internal sealed record LvmSection(string Name)
{
    private readonly Dictionary<string, IReadOnlyList<string>> _values = [];
    private readonly List<LvmSection> _sections = [];

    /// <summary>The sections in it, in their order.</summary>
    public IReadOnlyList<LvmSection> Sections => _sections;

    /// <summary>Adds a value; a list has any number of them, a single value is a list of one.</summary>
    /// <returns>Whether there was none of its name.</returns>
    public bool Add(string name, IReadOnlyList<string> values) => _values.TryAdd(name, values);

    /// <summary>Adds a section.</summary>
    public void Add(LvmSection section) => _sections.Add(section);

    /// <summary>A section in it; null where there is none.</summary>
    public LvmSection? Find(string name) => _sections.Find(section => section.Name == name);

    /// <summary>All values of a list; none where there is none.</summary>
    public IReadOnlyList<string> List(string name) => _values.TryGetValue(name, out IReadOnlyList<string>? values) ? values : [];

    /// <summary>A single value.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: there is none.</exception>
    public string Text(string name) => List(name) is [string value] ? value : throw LvmFault.Corrupt($"'{Name}' has no '{name}'");

    /// <summary>A number from 0.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: there is none.</exception>
    public long Number(string name) => long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out long value)
        ? value
        : throw LvmFault.Corrupt($"'{name}' of '{Name}' is no number");
}
