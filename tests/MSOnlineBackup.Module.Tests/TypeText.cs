namespace MSOnlineBackup.Module.Tests;

/// <summary>Types as the facts write them.</summary>
internal static class TypeText
{
    public static string Of(Type type) => type switch
    {
        { IsArray: true } => Of(type.GetElementType()!) + "[]",
        { IsGenericType: true } => $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>",
        _ => type.Name,
    };

    /// <summary>Whether a type is what the facts say; where they do not know, any is.</summary>
    public static bool Fits(Type type, string documented) => documented switch
    {
        "unknown" => true,
        "enum" => type.IsEnum,
        "List<unknown>" => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>),
        _ => Of(type) == Facts.Known.OurNameOf(documented),
    };
}
