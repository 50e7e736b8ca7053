using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Testing;

/// <summary>What an assembly shows to everybody, as text: a line for each type and member, sorted.</summary>
public static class PublicApi
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The lines of an assembly.</summary>
    public static IReadOnlyList<string> Describe(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(type => Members(type).Select(member => $"{type.FullName}{member}")).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Members(Type type)
    {
        yield return $": {Kind(type)} {Name(type.BaseType)}".TrimEnd();
        if (type.IsEnum)
        {
            foreach (string name in Enum.GetNames(type))
            {
                yield return string.Create(CultureInfo.InvariantCulture, $".{name} = {Enum.Format(type, Enum.Parse(type, name), "d")}");
            }

            yield break;
        }

        // What the compiler makes of a record says nothing that its properties do not say.
        foreach (MemberInfo member in type.GetMembers(All).Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute))))
        {
            switch (member)
            {
                case ConstructorInfo made when IsSeen(made) && !made.IsStatic:
                    yield return $"({Parameters(made)})";
                    break;
                case MethodInfo method when IsSeen(method) && !method.IsSpecialName && !IsOfRecord(method):
                    yield return $".{method.Name}({Parameters(method)}) -> {Name(method.ReturnType)}{(method.IsStatic ? " static" : null)}";
                    break;
                case PropertyInfo property when property.GetAccessors(nonPublic: true).FirstOrDefault(IsSeen) is { } accessor:
                    string writable = property.SetMethod is { } set && IsSeen(set) ? IsInit(set) ? " init" : " set" : string.Empty;
                    yield return $".{property.Name} -> {Name(property.PropertyType)}{writable}{(accessor.IsStatic ? " static" : null)}";
                    break;
                case FieldInfo { IsSpecialName: false } field when field.IsPublic || field.IsFamily:
                    yield return $".{field.Name} -> {Name(field.FieldType)} field{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : null)}";
                    break;
            }
        }
    }

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsOfRecord(MethodInfo method) =>
        method.Name is "Deconstruct" or "ToString" or "GetHashCode" or "Equals" or "PrintMembers" or "<Clone>$";

    private static bool IsInit(MethodInfo set) => set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsInterface ? "interface"
        : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsSealed ? "sealed class" : type.IsAbstract ? "abstract class" : "class";

    private static string Parameters(MethodBase method) => string.Join(
        ", ", method.GetParameters().Select(
            parameter => $"{(parameter.IsOut ? "out " : null)}{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? "?" : null)}"));

    private static string Name(Type? type) => type switch
    {
        null => string.Empty,
        { IsByRef: true } => Name(type.GetElementType()),
        { IsArray: true } => Name(type.GetElementType()) + "[]",
        { IsGenericParameter: true } => type.Name,
        { IsGenericType: true } => $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => type.Name,
    };
}
