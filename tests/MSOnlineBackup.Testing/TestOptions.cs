using MSOnlineBackup.Vaults.Layout;


namespace MSOnlineBackup.Testing;

/// <summary>Options of the engine that only tests may set.</summary>
public static class TestOptions
{
    /// <summary>Opens vaults quickly: keys that anybody could guess.</summary>
    public static VaultOptions Quick { get; } = new() { KeyDerivationIterations = 1000 };
}
