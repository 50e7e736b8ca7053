using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Until when makers of operating systems mend what they have published, security included, at no extra charge.</summary>
internal static class SupportEnds
{
    // What a system says of itself (SUPPORT_END in os-release) goes before these.
    private static readonly (string Name, DateOnly End)[] _linux =
    [
        ("debian 10", new(2024, 6, 30)), ("debian 11", new(2026, 8, 31)), ("debian 12", new(2028, 6, 30)), ("debian 13", new(2030, 6, 30)),
        ("ubuntu 18.04", new(2023, 5, 31)), ("ubuntu 20.04", new(2025, 5, 31)), ("ubuntu 22.04", new(2027, 4, 30)), ("ubuntu 24.04", new(2029, 5, 31)),
        ("centos 7", new(2024, 6, 30)), ("centos 8", new(2024, 5, 31)),
        ("rhel 7", new(2024, 6, 30)), ("rhel 8", new(2029, 5, 31)), ("rhel 9", new(2032, 5, 31)),
    ];

    // By the build, from the newest; the first that is not newer than the system's.
    private static readonly (int Build, DateOnly End)[] _servers =
    [
        (26100, new(2034, 10, 10)), (20348, new(2031, 10, 14)), (17763, new(2029, 1, 9)), (14393, new(2027, 1, 12)), (0, new(2023, 10, 10)),
    ];

    private static readonly (int Build, DateOnly End)[] _clients = [(26100, new(2029, 10, 9)), (22000, new(2026, 10, 13)), (0, new(2025, 10, 14))];

    /// <summary>The last day; null where it is not known.</summary>
    public static DateOnly? Of(SystemIdentity system) => system switch
    {
        { SupportEnd: { } end } => end,
        { Family: SystemFamily.Windows } => (system.IsClient ? _clients : _servers).First(known => known.Build <= system.Version.Build).End,
        { Family: SystemFamily.Linux } => _linux.Where(known => IsOf(known.Name, system)).Select(known => (DateOnly?)known.End).FirstOrDefault(),
        _ => null,
    };

    // "rhel 9" is 9.4 too.
    private static bool IsOf(string name, SystemIdentity system)
    {
        string[] parts = name.Split(' ');
        return system.Distribution == parts[0] && (system.Release == parts[1] || system.Release?.StartsWith(parts[1] + ".", StringComparison.Ordinal) == true);
    }
}
