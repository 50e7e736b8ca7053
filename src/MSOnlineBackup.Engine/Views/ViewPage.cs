using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Views;

/// <summary>Items of a folder.</summary>
/// <param name="Items">The items, in the order of the view.</param>
/// <param name="Damage">What of the vault could not be read: there may be items that are not here. Null where there are none.</param>
/// <param name="IsLast">Whether the folder ends here.</param>
public readonly record struct ViewPage(IReadOnlyList<ViewItem> Items, BackupException? Damage, bool IsLast);
